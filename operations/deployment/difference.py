"""What differs between the objects of two renderings of a Helm stack, for people: an object a row, and the fields that change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.deployment.rendered import Objects

GOES_WITH_DATA = (
    "PersistentVolumeClaim",
    "StatefulSet",
    "Cluster",
    "Namespace",
    "CustomResourceDefinition",
    "StorageClass",
)
"""Kinds whose end may take data with it: a namespace and a definition take all that is in or of them."""

FIELDS = 8
"""Fields that a row names; more are counted."""

LONGEST = 60
"""Characters of a value that a row shows."""


@dataclass(frozen=True)
class Change:
    """An object that comes, goes or changes."""

    verb: str
    """``create``, ``change`` or ``destroy``."""

    what: str
    """Such as ``Deployment vet-app/vet-app``."""

    fields: tuple[str, ...] = ()
    """What changes in it, as ``spec.replicas: 2 → 3``."""

    @property
    def risky(self) -> bool:
        """Whether it takes something away that may hold data."""
        return self.verb == "destroy" and self.what.split()[0] in GOES_WITH_DATA

    @property
    def shown(self) -> str:
        """The fields in a cell of a table."""
        named = "<br>".join(f"`{_plain(each)}`" for each in self.fields[:FIELDS])
        more = len(self.fields) - FIELDS
        return f"{named}<br>and {more} more" if more > 0 else named


def changes(before: Objects, after: Objects) -> list[Change]:
    """What goes first, then what changes, then what comes; each by name."""
    gone = [Change("destroy", name) for name in sorted(before.keys() - after.keys())]
    new = [Change("create", name) for name in sorted(after.keys() - before.keys())]
    both = sorted(before.keys() & after.keys())
    changed = [
        Change("change", name, tuple(_fields(before[name], after[name])))
        for name in both
        if before[name] != after[name]
    ]
    return [*gone, *changed, *new]


def _fields(before: Any, after: Any) -> Iterator[str]:
    one, other = dict(_flat(before)), dict(_flat(after))
    for path in sorted(one.keys() | other.keys()):
        if one.get(path) != other.get(path):
            yield f"{path}: {_short(one, path)} → {_short(other, path)}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Values by their path; parts of a list by their name, where they have one, so that one more shifts none."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        names = [each.get("name") if isinstance(each, Mapping) else None for each in value]
        named = all(names) and len(set(map(str, names))) == len(names)
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{names[index] if named else index}]")
    else:
        yield path, value


def _short(values: Mapping[str, Any], path: str) -> str:
    if path not in values:
        return "nothing"
    lines = str(values[path]).splitlines() or [""]
    text = lines[0] if len(lines) == 1 else f"{lines[0]} … ({len(lines)} lines)"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _plain(text: str) -> str:
    """A text that can stand in a cell, between backquotes: no value breaks out of it."""
    return text.replace("`", "'").replace("|", "\\|").replace("\r", " ").replace("\n", " ")
