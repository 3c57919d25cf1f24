"""Reading YAML with the line of every key, so that an error can say where a value stands and what was written there.

Stricter than YAML where that saves a team a surprise: a key that stands twice, merge keys (``<<``), tags and an anchor
inside itself are errors; a key is always text; a date is text.
"""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from settings.base import Section
from settings.problems import Finding, Key, Problem, dotted
from settings.yaml_text import Loader

MOST_BYTES = 256 * 1024
MOST_LEVELS = 30
MOST_VALUES = 20_000
"""Bounds of a settings file: the shipped ones have 1 KiB, 4 levels and 60 values. Beyond them YAML's reader would exhaust memory or the stack."""

TAG = "tag:yaml.org,2002:"
TEXTS = {TAG + "str", TAG + "timestamp"}
SCALARS = {TAG + "bool", TAG + "int", TAG + "float", TAG + "null"}


@dataclass
class SettingsDocument:
    """One YAML file: what it says, and where."""

    file: str
    """Relative to the repository, such as ``environments/dev.yaml``."""

    data: dict[str, Any] = field(default_factory=dict)
    """What it says; empty if it cannot be read."""

    lines: dict[Key, int] = field(default_factory=dict)
    """Line of each key and list entry."""

    texts: dict[Key, str] = field(default_factory=dict)
    """Each scalar as written: ``0700`` rather than 448."""

    problems: list[Problem] = field(default_factory=list)
    """What is wrong with it as YAML."""

    @property
    def readable(self) -> bool:
        """Whether the file could be read as YAML."""
        return not self.problems

    def refuse(self, line: int, key: Key, value: str, rule: str, remedy: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.file, line, dotted(key), value, rule, remedy))


def read(path: Path, file: str) -> SettingsDocument:
    """Read one file; what is wrong with it is in the document's problems, never raised."""
    document = SettingsDocument(file)
    try:
        text = _text(path)
        _bounded(text)
        root = Loader(text).get_single_node()
    except OSError as error:
        document.refuse(
            1, (), "", f"the file must be readable: {error.strerror}", "create it, or correct its permissions"
        )
    except UnicodeDecodeError as error:
        document.refuse(1, (), "", f"the file must be UTF-8 text: byte {error.start} is not", "save it as UTF-8")
    except TooLargeError as error:
        document.refuse(error.line, (), "", f"the file must {error}", "write the settings out, and only those")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be parsed"
        context = f" ({about})" if (about := getattr(error, "context", None)) else ""
        line = mark.line + 1 if mark else 1
        document.refuse(
            line, (), "", f"the file must be valid YAML: {what}{context}", "correct the syntax on or above this line"
        )
    else:
        if isinstance(root, yaml.MappingNode):
            document.data = _mapping(document, root, (), frozenset())
        elif root is not None:
            document.refuse(_line(root), (), "", "the file must be a map of keys", "write `key: value` lines")
    return document


class TooLargeError(Exception):
    """A file is more than a settings file can be, in words that follow "must"."""

    def __init__(self, rule: str, line: int = 1) -> None:
        super().__init__(rule)
        self.line = line


def _text(path: Path) -> str:
    """What a file says. Line ends of Windows and a mark of byte order are taken away; a pipe or a device is never opened.

    Raises:
        OSError: it cannot be read, or is no ordinary file.
        TooLargeError: it has too many bytes.
        UnicodeDecodeError: it is not UTF-8.
    """
    if not path.is_file():
        raise OSError(errno.EINVAL, "it is not an ordinary file" if path.exists() else os.strerror(errno.ENOENT))
    if path.stat().st_size > MOST_BYTES:
        raise TooLargeError(f"have at most {MOST_BYTES // 1024} KiB; it has {path.stat().st_size // 1024}")
    return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def _bounded(text: str) -> None:
    """Look at a text event by event, which takes neither stack nor memory, before it becomes a tree.

    Raises:
        TooLargeError: it is nested too deep, or has too many values, those that an anchor repeats counted each time.
        yaml.YAMLError: it is not YAML.
    """
    level = values = 0
    sizes: dict[str, int] = {}
    open_anchors: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            values += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            level, values = level + 1, values + 1
            open_anchors.append((event.anchor, values))
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
            anchor, before = open_anchors.pop()
            if anchor is not None:
                sizes[anchor] = values - before + 1
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
        if level > MOST_LEVELS:
            raise TooLargeError(f"be nested at most {MOST_LEVELS} levels deep", line)
        if values > MOST_VALUES:
            raise TooLargeError(f"have at most {MOST_VALUES} values, with those that anchors repeat", line)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _value(document: SettingsDocument, node: yaml.Node, key: Key, above: frozenset[int]) -> Any:
    if id(node) in above:
        document.refuse(_line(node), key, "", "an anchor must not contain itself", "write the value out")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, key, above | {id(node)})
    if isinstance(node, yaml.SequenceNode):
        return _sequence(document, node, key, above | {id(node)})
    document.texts[key] = node.value
    if node.tag in TEXTS:
        return node.value
    try:
        if node.tag in SCALARS:
            return Loader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        pass
    document.refuse(
        _line(node), key, str(node.value), f"the tag {node.tag.replace(TAG, '!!')} does not fit", "remove the tag"
    )
    return None


def _mapping(document: SettingsDocument, node: yaml.MappingNode, key: Key, above: frozenset[int]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name_node, value_node in node.value:
        line = _line(name_node)
        if not isinstance(name_node, yaml.ScalarNode) or name_node.tag == TAG + "merge":
            document.refuse(
                line,
                key,
                "",
                "a key must be plain text; merge keys are not supported",
                "put what is shared in _common.yaml",
            )
            continue
        name = str(name_node.value)
        here = (*key, name)
        if name in data:
            rule = (
                f"a key must stand once; this one stands on line {document.lines[here]} too, and only one of them "
                "would count"
            )
            document.refuse(line, here, "", rule, "join the two, or remove one")
            continue
        document.lines[here] = line
        data[name] = _value(document, value_node, here, above)
    return data


def _sequence(document: SettingsDocument, node: yaml.SequenceNode, key: Key, above: frozenset[int]) -> list[Any]:
    data = []
    for index, entry in enumerate(node.value):
        here = (*key, index)
        document.lines[here] = _line(entry)
        data.append(_value(document, entry, here, above))
    return data


@dataclass(frozen=True)
class MergedDocument:
    """Settings put together from several documents: where each value came from can still be told."""

    data: dict[str, Any]
    """What holds in the end."""

    documents: tuple[SettingsDocument, ...]
    """Where it came from, the winning document first."""

    valid: Mapping[str, Any] = field(default_factory=dict)
    """Validated sections, which know the defaults of what no document says."""

    @property
    def readable(self) -> bool:
        """Whether all of it could be read; if not, what seems to be missing may only be unreadable."""
        return all(document.readable for document in self.documents)

    def problem(self, finding: Finding) -> Problem:
        """The finding with its file and line. What is in no document belongs to the nearest thing that is."""
        file, line = self._place(finding.key)
        value = self.show(finding.key) if finding.value is None else finding.value
        return Problem(file, line, dotted(finding.key), value, finding.rule, finding.remedy)

    def show(self, key: Key) -> str:
        """The value at the key in one short line, as written in its file as far as that can be; empty if there is
        none."""
        value = _at(self.data, key)
        if value is None and key not in self._texts:
            default = _at(self.valid, key)
            return "" if default is None else f"{default} (default)"
        text = value if isinstance(value, str) else self._texts.get(key) or _flow(value)
        return text if len(text) <= 70 else text[:67] + "..."

    @property
    def _texts(self) -> dict[Key, str]:
        return {key: text for document in reversed(self.documents) for key, text in document.texts.items()}

    def _place(self, key: Key) -> tuple[str, int]:
        for length in range(len(key), 0, -1):
            for document in self.documents:
                if key[:length] in document.lines:
                    return document.file, document.lines[key[:length]]
        return self.documents[0].file, 1


def _at(value: Any, key: Key) -> Any:
    """What stands at the key, in maps, lists and models alike; None if there is nothing."""
    for part in key:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            value = getattr(value, str(part), None) if isinstance(value, Section) else None
    return value


def _flow(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=4096)
        .removesuffix("\n")
        .removesuffix("\n...")
    )


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Maps are merged key by key; everything else in ``over`` replaces what is ``under`` it."""
    result = dict(under)
    for name, value in over.items():
        both_maps = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = merged(result[name], value) if both_maps else value
    return result
