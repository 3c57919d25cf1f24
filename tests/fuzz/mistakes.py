"""Settings as people get them wrong: every key of the types, with values of the wrong kind, size, place and spelling."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from settings.environment import Environment
from settings.project import Project

TEXTS = (
    "",
    " ",
    "*",
    "a",
    "dev",
    "a--b",
    "internal",
    "sg-1",
    "x" * 300,
    "Ünïcödé",
    "it's",
    'quo"te',
    "back\\slash",
    "two\nlines",
    "tab\tbed",
    '${file("/etc/passwd")}',
    "%{ if true }",
    "$(reboot)",
    "`id`",
    "; rm -rf /",
    "#comment",
    "null",
    "true",
    "007",
    "1e3",
    "0x10",
    "10.0.0.0/8",
    "10.0.0.1/24",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "0.0.0.0/0",
    "300.1.1.1/24",
    "::/0",
    "0 3 * * 7",
    "*/0 * * * *",
    "0 0 31 2 *",
    "0 */6 * * *",
    "24:00",
    "07:00",
    "19:00",
    "100m",
    "0m",
    "128Mi",
    "0Mi",
    "5Gi",
    "1Ei",
    "us-east-1",
    "us-east-9",
    "Europe/Berlin",
    "localtime",
    "a@b",
    "a@b.example",
    "https://x",
    "ftp://x",
    "oci://x/y",
    "arn:aws:iam::123456789012:role/*",
    "arn:aws:iam::123456789012:role/ops",
    "ssh-ed25519 AAAA",
    "ami-1",
    "ami-0123456789abcdef0",
    "t3.medium",
    "t9.huge",
    "2026-11-24T09:30:00Z",
    "2999-01-01T00:00:00Z",
    "2026-02-31T00:00:00Z",
    "newest",
    "example.com",
    "EXAMPLE.com",
    "a..b",
    "-a.example.com",
    "aws:x",
    "vet:cluster",
    "Name",
    "\u202e",
    "\x00",
)
NUMBERS: tuple[Any, ...] = (
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    22,
    80,
    443,
    6443,
    65535,
    65536,
    -1,
    10**6,
    10**30,
    1.5,
    0.0001,
    float("inf"),
    float("nan"),
)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"a": {}}, ["a", "a"], {"a": "b"}, [None])


@dataclass(frozen=True)
class Leaf:
    """A key of the settings."""

    path: tuple[str, ...]
    kind: Any
    """Its type, without what only annotates it."""


def leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every key of a model that holds no further keys, by its place."""
    for name, field in model.model_fields.items():
        kinds = list(_plain(field.annotation))
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            yield Leaf((*path, name), kinds[0])
        else:
            yield from leaves(inner, (*path, name))


def _plain(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _plain(each)
    elif hasattr(kind, "__metadata__"):
        yield from _plain(kind.__origin__)
    elif kind is not type(None):
        yield kind


ENVIRONMENT = tuple(leaf for leaf in leaves(Environment) if leaf.path != ("name",))
PROJECT = tuple(leaves(Project))


def value(leaf: Leaf, chance: random.Random) -> Any:
    """Something that somebody might write there: often of the right kind, now and then of any."""
    if chance.random() < 0.25:
        return chance.choice((*TEXTS, *NUMBERS, *OTHERS))
    if get_origin(leaf.kind) is Literal:
        return chance.choice((*get_args(leaf.kind), *TEXTS[:4], *NUMBERS[:4]))
    if leaf.kind is bool:
        return chance.choice((True, False))
    if leaf.kind in (int, float):
        return chance.choice(NUMBERS[:16]) if chance.random() < 0.6 else chance.randrange(0, 400)
    if get_origin(leaf.kind) is list or leaf.kind is list:
        return [chance.choice(TEXTS) for _ in range(chance.choice((0, 1, 2, 3, 70)))]
    if get_origin(leaf.kind) is dict or leaf.kind is dict:
        return {chance.choice(TEXTS): chance.choice(TEXTS) for _ in range(chance.choice((0, 1, 2, 8)))}
    return chance.choice(TEXTS)


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A value at its place: ``{"network": {"cidr": ...}}``."""
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def misspelled(path: tuple[str, ...], chance: random.Random) -> tuple[str, ...]:
    """The place with one letter missing in one of its names, as a key that nobody knows."""
    where = chance.randrange(len(path))
    name = path[where]
    letter = chance.randrange(len(name))
    return (*path[:where], name[:letter] + name[letter + 1 :] or "x", *path[where + 1 :])


def changes(chance: random.Random, keys: tuple[Leaf, ...]) -> Iterator[dict[str, Any]]:
    """One to three changed settings."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        leaf = chance.choice(keys)
        path = misspelled(leaf.path, chance) if chance.random() < 0.05 else leaf.path
        yield nested(path, value(leaf, chance))
