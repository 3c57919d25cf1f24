"""Nested dictionaries as the typed blocks that CDKTF's providers take.

jsii makes a block of a dictionary only where it does not stand in a list. In a list it looks for the names of
JavaScript, and drops without a word what it does not find: ``container_port`` where it knows ``containerPort``.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

Kind = TypeVar("Kind")

Block = dict[str, Any]
"""Arguments of a block by their Python names; blocks within it are dictionaries, or lists of them."""


def typed_block(kind: type[Kind], arguments: Mapping[str, Any]) -> Kind:
    """A block of the type ``kind``, with all blocks inside it.

    Raises:
        TypeError: the provider has no argument of such a name.
    """
    kinds = _arguments(cast(Hashable, kind))  # classes are; mypy does not see it of a type variable
    unknown = arguments.keys() - kinds.keys()
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(kinds))}")
    return kind(**{name: _typed(kinds[name], value) for name, value in arguments.items()})


def _typed(kind: type | None, value: Any) -> Any:
    if kind and isinstance(value, Mapping):
        return typed_block(kind, value)
    if kind and isinstance(value, Sequence) and not isinstance(value, str):
        return [_typed(kind, item) for item in value]
    return value


def _blocks(hint: Any) -> Iterator[type]:
    """Block types that a type hint names, also inside unions and sequences."""
    if hasattr(hint, "__jsii_struct_bases__"):
        yield hint
    for inner in get_args(hint):
        yield from _blocks(inner)


@cache
def _arguments(kind: type) -> dict[str, type | None]:
    """The block's arguments by name, each with the type of the blocks that it takes, if it takes any."""
    hints = get_type_hints(vars(kind)["__init__"])
    return {name: next(_blocks(hint), None) for name, hint in hints.items() if name != "return"}
