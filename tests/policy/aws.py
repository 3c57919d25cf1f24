"""AWS's own constraints on every attribute that the stacks set: what the cloud would refuse is found in the JSON.

Three sources, one question an attribute: models that AWS publishes (``aws_models.json``), the table of what no model says
(``settings/aws_constraints.yaml``), and what is true between
attributes or resources (``relations.py``) and inside of policies (``statements.py``). An attribute that none of them
knows is a finding as well, so that a new resource cannot pass unseen.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from settings.aws_constraints import AwsConstraint, constraint, from_row, shown, table
from tests.policy import relations, statements
from tests.policy.blocks import EXPRESSION, WHOLE_EXPRESSION, resources

HERE = Path(__file__).parent
ATTRIBUTES = HERE / "aws_attributes.yaml"
MODELS = HERE / "aws_models.json"

META = ("//", "lifecycle", "depends_on", "provider", "count", "for_each")
"""Terraform's own arguments of a resource."""

TAGS = ("tags", "tags_all", "tags_to_add", "target_tags")


@dataclass(frozen=True)
class Attribute:
    """One value in the JSON.

    :param path: dotted, without the places in lists, such as ``health_check.port``.
    """

    stack: str
    type: str
    resource: str
    path: str
    value: Any

    @property
    def name(self) -> str:
        """Type and path, by which constraints know it."""
        return f"{self.type}.{self.path}"

    def __str__(self) -> str:
        return f"{self.stack}/{self.resource}, {self.name} = {shown(self.value)}"


@cache
def mapping() -> Mapping[str, Mapping[str, str]]:
    """``aws_attributes.yaml``."""
    mapping: dict[str, dict[str, str]] = yaml.safe_load(ATTRIBUTES.read_text())
    return mapping


@cache
def models() -> Mapping[str, AwsConstraint]:
    """What AWS's published models say, by attribute."""
    return {name: from_row({"what": name, **row}) for name, row in json.loads(MODELS.read_text()).items()}


@cache
def constraint_on(name: str) -> AwsConstraint | None:
    """The constraint on an attribute; None if AWS does not constrain it.

    Raises:
        KeyError: nothing says whether there is one.
    """
    type_, _, path = name.partition(".")
    lines = mapping().get(type_, {})
    says = lines.get(path) or lines.get(f"{path.rpartition('.')[0]}.*")
    if says is None:
        raise KeyError(name)
    if says.startswith("free, "):
        return None
    key = name if path in lines else f"{type_}.{path.rpartition('.')[0]}.*"
    return constraint(key) if says == "table" else models()[key]


def attributes(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Attribute]:
    """Every value of every AWS resource whose text is known before an apply, by stack.

    Flags are left out, since Terraform checks them, and so is what is nothing but an expression.
    """
    for block in resources(documents):
        for path, value in _leaves({key: value for key, value in block.body.items() if key not in META}):
            if not isinstance(value, bool) and not (isinstance(value, str) and WHOLE_EXPRESSION.fullmatch(value)):
                yield Attribute(block.stack, block.type, block.name, path, value)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif value is not None:
        yield path, value


def wrong(attribute: Attribute) -> Iterator[str]:
    """What AWS refuses of one value, a line each; or that nothing is known about it."""
    parts = attribute.path.split(".")
    place = next((index for index, part in enumerate(parts) if part in TAGS[:2]), None)
    if place is not None:
        yield from _wrong_tag(attribute, ".".join(parts[place + 1 :]))
        return
    try:
        known = constraint_on(attribute.name)
    except KeyError:
        yield f"{attribute}: neither mapped nor called free in {ATTRIBUTES.name}"
        return
    if known is not None:
        yield from _broken(attribute, known, _without_expressions(attribute.value, known))


def _wrong_tag(attribute: Attribute, key: str) -> Iterator[str]:
    yield from _broken(attribute, constraint("*.tags key"), key)
    yield from _broken(attribute, constraint("*.tags value"), _without_expressions(attribute.value, None))


def _broken(attribute: Attribute, known: AwsConstraint, value: Any) -> Iterator[str]:
    for rule in known.broken_by(value):
        yield f"{attribute}: must {rule} ({known.source})"


def _without_expressions(value: Any, known: AwsConstraint | None) -> Any:
    """The value with each expression replaced by a character that any rule takes, so that what surrounds it is judged."""
    return EXPRESSION.sub("x", value) if isinstance(value, str) else value


def judge(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Everything that AWS would refuse in these stacks, a line each."""
    lines = [line for attribute in attributes(documents) for line in wrong(attribute)]
    blocks = list(resources(documents))
    return sorted(set(lines)) + sorted([*relations.wrong(blocks), *statements.wrong(blocks)])


def read(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The documents of synthesised stacks by stack, from folders of ``cdk.tf.json``."""
    return {folder.name: json.loads((folder / "cdk.tf.json").read_text()) for folder in folders}


def idle(documents: Iterable[Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Lines of the mapping and rows of the table that no stack needs any more."""
    names = {attribute.name for each in documents for attribute in attributes(each)}
    starred = {f"{name.rpartition('.')[0]}.*" for name in names}
    rows = {name for row in table() for name in row.attributes if not name.startswith("*.")}
    lines = {f"{type_}.{path}" for type_, each in mapping().items() for path in each if path != "model"}
    return sorted((rows | lines) - names - starred)
