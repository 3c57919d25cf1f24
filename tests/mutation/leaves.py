"""The leaves of synthesised Terraform JSON, and what can be damaged in each.

A leaf is a value that holds no others, a list that can lose its last entry, or a ``lifecycle`` that can go. Text that is JSON itself, such as
a policy, is looked into. A kind of damage is a place without the names of resources and the numbers of list entries, and a way to damage it.
"""

import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.template import REFERENCE, Block

Step = str | int

INSIDE = "<json>"
"""Step into a text that is JSON."""

NAMED = {"resource": 2, "data": 2}
"""Sections in which the step at this place is a name that somebody chose, and no part of a kind."""


@dataclass(frozen=True, order=True)
class Kind:
    """A kind of damage."""

    place: str
    """Such as ``resource.aws_subnet.tags.Name``."""

    change: str
    """Name of a change, one of ``CHANGES``."""

    def __str__(self) -> str:
        return f"{self.change} of {self.place}"


@dataclass(frozen=True)
class Leaf:
    """A place in the document of a stack."""

    stack: str
    steps: tuple[Step, ...]
    change: str

    @property
    def kind(self) -> Kind:
        """What this leaf is one of."""
        skipped = NAMED.get(str(self.steps[0]))
        steps = [step for place, step in enumerate(self.steps) if place != skipped]
        return Kind(".".join("[]" if isinstance(step, int) else step for step in steps), self.change)


def leaves(stack: str, document: Block) -> Iterator[Leaf]:
    """Every leaf of a stack's document that can be damaged, in the order of the document."""
    for section, content in document.items():
        if section != "//":
            yield from (Leaf(stack, (section, *steps), change) for steps, change in _below(content))


def _below(value: Any) -> Iterator[tuple[tuple[Step, ...], str]]:
    match value:
        case dict():
            for key, item in value.items():
                if key == "//":
                    continue
                if key == "lifecycle" and item:
                    yield (key,), "removed"
                for steps, change in () if key == "depends_on" else _below(item):
                    yield (key, *steps), change
                if key == "depends_on" and item:
                    yield (key,), "shortened"
        case list():
            if value:
                yield (), "shortened"
            for number, item in enumerate(value):
                yield from (((number, *steps), change) for steps, change in _below(item))
        case str() if (inner := _json(value)) is not None:
            yield from (((INSIDE, *steps), change) for steps, change in _below(inner))
        case bool():
            yield (), "flag"
        case int() | float():
            yield (), "number"
        case str() if REFERENCE.search(value) and "${" in value:
            yield (), "redirected"
        case str() if re.search(r"[A-Za-z0-9]", value):
            yield (), "text"


def damaged(document: Block, leaf: Leaf, choice: random.Random) -> tuple[Block, str]:
    """A copy of the document with this leaf damaged, and what was done in words.

    Raises:
        LookupError: this document has no such leaf, or nothing to take its place.
    """
    document = json.loads(json.dumps(document))
    description = _apply(document, list(leaf.steps), lambda old: _changed(old, leaf, document, choice))
    return document, description


def _apply(value: Any, steps: list[Step], change: Any) -> str:
    """Change what the steps lead to, in place."""
    *before, last = steps
    for number, step in enumerate(before):
        if step == INSIDE:
            raise AssertionError(f"the step before should have looked into the text: {steps}")
        if isinstance(value, dict | list) and steps[number + 1] == INSIDE:
            inner = _json(value[step])  # type: ignore[call-overload, index] # a step fits what it was made from
            if inner is None:
                raise LookupError(f"no JSON at {steps[: number + 1]}")
            rest = steps[number + 2 :]
            holder = {"": inner}
            description = _apply(holder, ["", *rest], change)
            value[step] = json.dumps(holder[""])  # type: ignore[call-overload, index]
            return description
        value = value[step]  # type: ignore[call-overload, index]
    old = value[last]  # type: ignore[call-overload, index]
    new = change(old)
    if new is None:
        del value[last]  # type: ignore[arg-type, union-attr]
    else:
        value[last] = new  # type: ignore[call-overload, index]
    return f"{_short(old)} became {_short(new)}"


def _changed(old: Any, leaf: Leaf, document: Block, choice: random.Random) -> Any:
    match leaf.change:
        case "removed":
            return None
        case "shortened":
            return old[:-1]
        case "flag":
            return not old
        case "number":
            return old + 1
        case "redirected":
            return _redirected(old, document, choice)
        case _:
            return _text(old, choice)


def _redirected(old: str, document: Block, choice: random.Random) -> str:
    """The first reference, to another resource: of the same type if there is one."""
    match = REFERENCE.search(old)
    if match is None:
        raise LookupError(old)
    data, type_, id_ = match[1] or "", match[2], match[3]
    blocks = document.get("data" if data else "resource", {})
    others = sorted(f"{data}{type_}.{other}" for other in blocks.get(type_, {}) if other != id_)
    strangers = sorted(f"{data}{other}.{name}" for other in blocks if other != type_ for name in blocks[other])
    if not (others or strangers):
        raise LookupError(f"nothing else to refer to than {match[0]}")
    return old[: match.start()] + choice.choice(others or strangers) + old[match.end() :]


def _text(old: str, choice: random.Random) -> str:
    """One letter or digit replaced by its neighbour: the last one of a short text, any of a long one."""
    places = [place.start() for place in re.finditer(r"[A-Za-z0-9]", old)]
    place = places[-1] if "\n" not in old else choice.choice(places)
    letter = old[place]
    other = {"9": "8", "z": "y", "Z": "Y"}.get(letter) or chr(ord(letter) + 1)
    return old[:place] + other + old[place + 1 :]


def _json(text: Any) -> Any:
    if isinstance(text, str) and text[:1] in ("{", "["):
        with suppress(json.JSONDecodeError):
            return json.loads(text)
    return None


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) < 120 else f"{text[:58]} … {text[-58:]}"
