"""Former names of settings. Files that have them go on working without an end date, and are told the present name.

A file is brought to the present names as it is read, before it is merged with another and before a rule looks at it, so that nothing else has
to know two names. What a stack's state remembers keeps the names under which it was first written.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.documents import SettingsDocument
from settings.problems import Key, dotted

FORMER_KEYS: Mapping[str, str] = {
    "protect": "deletion_protection",
    "zone": "dns_zone",
    "network.zones": "network.availability_zones",
    "image.pin": "image.ami_id",
    "agents.count": "agents.min_count",
    "agents.maximum": "agents.max_count",
    "pools.*.count": "pools.*.min_count",
    "pools.*.maximum": "pools.*.max_count",
    "pools.*.zones": "pools.*.availability_zones",
    "pools.*.image": "pools.*.ami_id",
    "application.python": "application.python_version",
    "application.email": "application.email_reminders",
    "application.autoscaling.maximum": "application.autoscaling.max_replicas",
    "application.autoscaling.cpu_percent": "application.autoscaling.target_cpu_percent",
    "backups.database_beside": "backups.database_clone_at",
    "backups.volume_snapshots.kept": "backups.volume_snapshots.retention",
    "acknowledged": "acknowledged_warnings",
}
"""Present names by the former ones, of an environment's file and of ``_common.yaml``. Only the last part of a key differs; ``*`` stands for any
name or number of an entry."""


@dataclass(frozen=True, order=True)
class FormerKey:
    """A former name in a file."""

    file: str
    """File, relative to the repository."""

    line: int
    """Line in the file, from 1."""

    former: str
    """Dotted key as the file has it."""

    present: str
    """Dotted key as it is called now."""


def use_present_keys(document: SettingsDocument) -> list[FormerKey]:
    """Bring a document to the present names; returns the former ones that it had, by line.

    A setting that stands under both names is a problem of the document, and the present name counts.
    """
    former = []
    for key, line in document.lines.items():
        now = _present(key)
        if now[-1] == key[-1]:
            continue
        if now in document.lines:
            rule = (
                f"a setting must stand once; {dotted(now)} on line {document.lines[now]} is the same one under its present name, and only one of "
                "them would count"
            )
            document.refuse(line, key, "", rule, f"remove {key[-1]}")
        else:
            former.append(FormerKey(document.file, line, dotted(key), dotted(now)))
    document.data = _renamed(document.data, ())
    document.lines, document.texts = _by_present_key(document.lines), _by_present_key(document.texts)
    return sorted(former)


def with_present_keys(data: dict[str, Any]) -> dict[str, Any]:
    """An environment's settings, which were given in Python or read by another program, under their present names.

    Warns of the former ones (DeprecationWarning). Of a setting under both names both stay, which the types refuse.
    """
    for key in _former(data, ()):
        warnings.warn(f"{dotted(key)} is called {dotted(_present(key))} now", DeprecationWarning, stacklevel=3)
    renamed: dict[str, Any] = _renamed(data, (), both=True)
    return renamed


def present(key: str) -> str:
    """The present name of a dotted key: ``agents.min_count`` for ``agents.count``."""
    return ".".join(map(str, _present(tuple(key.split(".")))))


def first_name(key: str) -> str:
    """The name under which the state has a setting, by its present one: ``pools.reports.count`` for ``pools.reports.min_count``."""
    return ".".join(map(str, _other_name(tuple(key.split(".")), _FIRST_NAMES)))


_PRESENT_NAMES = {tuple(former.split(".")): now.rpartition(".")[2] for former, now in FORMER_KEYS.items()}
_FIRST_NAMES = {tuple(now.split(".")): former.rpartition(".")[2] for former, now in FORMER_KEYS.items()}
_SECTIONS = {pattern[0] for pattern in (*_PRESENT_NAMES, *_FIRST_NAMES)}


def _present(key: Key) -> Key:
    return _other_name(key, _PRESENT_NAMES)


def _other_name(key: Key, names: Mapping[tuple[str, ...], str]) -> Key:
    """The key with another name for the section or value that it is or is in."""
    for pattern, name in names.items() if key and key[0] in _SECTIONS else ():
        if len(key) >= len(pattern) and all(part in ("*", own) for part, own in zip(pattern, key, strict=False)):
            last = len(pattern) - 1
            return (*key[:last], name, *key[last + 1 :])
    return key


def _former(value: Any, key: Key) -> Iterator[Key]:
    """Keys of former names in maps and lists."""
    if key and _present(key)[-1] != key[-1]:
        yield key
    for part, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from _former(inner, (*key, part))


def _renamed(value: Any, key: Key, *, both: bool = False) -> Any:
    """The value with the present names; a former one beside its present one is left out, or stays if ``both`` do."""
    if isinstance(value, list):
        return [_renamed(each, (*key, index), both=both) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    renamed = {}
    for name, inner in value.items():
        now = _present((*key, name))[-1]
        doubled = now != name and now in value
        if not doubled or both:
            renamed[name if doubled else now] = _renamed(inner, (*key, name), both=both)
    return renamed


def _by_present_key(facts: Mapping[Key, Any]) -> dict[Key, Any]:
    """What is known by key, by the present keys; a former one never hides its present one."""
    return {**{_present(key): fact for key, fact in facts.items()}, **facts}
