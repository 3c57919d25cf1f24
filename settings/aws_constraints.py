"""What AWS accepts in a value, as data: the rules that no published model holds stand in ``aws_constraints.yaml``.

The check of the synthesised JSON (tests/policy/aws.py) reads all of it, together with AWS's own models; the settings' rules read the
rows that a person can reach by a setting. Plain Python: nothing is imported that a synth would have to wait for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Any

from settings.yaml_text import load

TABLE = Path(__file__).with_suffix(".yaml")

SHOWN = 60
"""Characters of a wrong value that a message shows."""


@dataclass(frozen=True)
class AwsConstraint:
    """What AWS demands of one value. A rule that is ``None`` or empty does not apply."""

    what: str
    """The value in words, such as ``name of a bucket``."""

    source: str
    """Where AWS says it: an API with its parameter, a page of a guide, or a published model."""

    attributes: tuple[str, ...] = ()
    """Attributes of Terraform, such as ``aws_lb.name``, that this row of the table is about."""

    min: int | None = None
    max: int | None = None
    """Fewest and most characters of a text."""

    pattern: str | None = None
    """What the whole text must match, in Python's syntax."""

    words: str = ""
    """The pattern for people."""

    lowest: float | None = None
    highest: float | None = None
    """Smallest and largest number."""

    one_of: tuple[Any, ...] = ()
    """All values there are."""

    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    """Starts, ends and whole texts that AWS keeps for itself, whatever their case."""

    network: tuple[int, int] | None = None
    """An IPv4 network whose prefix has between so many and so many bits."""

    def broken_by(self, value: Any) -> Iterator[str]:
        """Every rule that a value breaks, in words that follow "must"; nothing if AWS takes it."""
        if self.one_of and str(value) not in map(str, self.one_of):
            yield f"be one of {', '.join(map(str, self.one_of))}"
        if self.lowest is not None or self.highest is not None:
            yield from self._number(value)
        if self.network:
            yield from self._network(str(value))
        yield from self._text(str(value))

    def _number(self, value: Any) -> Iterator[str]:
        try:
            number = float(value)
        except (TypeError, ValueError):
            yield "be a number"
            return
        if self.lowest is not None and number < self.lowest:
            yield f"be at least {self.lowest:g}"
        if self.highest is not None and number > self.highest:
            yield f"be at most {self.highest:g}"

    def _text(self, text: str) -> Iterator[str]:
        if self.min is not None and len(text) < self.min:
            yield f"have at least {self.min} characters; it has {len(text)}"
        if self.max is not None and len(text) > self.max:
            yield f"have at most {self.max} characters; it has {len(text)}"
        elif self.pattern is not None and not re.fullmatch(self.pattern, text):
            yield f"consist of {self.words}" if self.words else f"match {self.pattern}"
        lower = text.lower()
        for start in self.prefixes:
            if lower.startswith(start):
                yield f"not begin with {start}, which AWS keeps for itself"
        for end in self.suffixes:
            if lower.endswith(end):
                yield f"not end with {end}, which AWS keeps for itself"
        if lower in self.values:
            yield f"not be {text}, which AWS keeps for itself"

    def _network(self, text: str) -> Iterator[str]:
        assert self.network
        try:
            network = IPv4Network(text)
        except (AddressValueError, NetmaskValueError, ValueError):
            yield "be an IPv4 network whose host bits are zero, such as 10.0.1.0/24"
            return
        few, many = self.network
        if not few <= network.prefixlen <= many:
            yield f"be a network between /{few} and /{many}"

    def tight(self) -> bool:
        """Whether it refuses anything at all."""
        rules = (self.min, self.max, self.pattern, self.lowest, self.highest, self.network)
        reserved = (self.one_of, self.prefixes, self.suffixes, self.values)
        return any(rule is not None for rule in rules) or any(reserved)


@cache
def table() -> tuple[AwsConstraint, ...]:
    """All rows of ``aws_constraints.yaml``."""
    rows = load(TABLE.read_text(encoding="utf-8"))
    return tuple(from_row(row) for row in rows)


def from_row(row: dict[str, Any]) -> AwsConstraint:
    """A constraint of what a row says by the names of its rules; lists become tuples."""
    rules: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return AwsConstraint(**rules)


@cache
def constraint(attribute: str) -> AwsConstraint:
    """The row about an attribute, such as ``aws_lb.name``.

    Raises:
        KeyError: no row names it.
    """
    for row in table():
        if attribute in row.attributes:
            return row
    raise KeyError(f"{TABLE.name}: no row is about {attribute}")


def shown(value: Any) -> str:
    """A value as a message shows it: bounded, on one line."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(str(value))} characters)"
