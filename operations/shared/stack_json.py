"""Read synthesised stacks: what ``make cost``, ``make report`` and ``make doctor`` say is said of the JSON that Terraform gets."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.shared.errors import Failure
from operations.shared.terraform import STACKS

Block = dict[str, Any]

REFERENCE = re.compile(r"\$\{(aws_\w+)\.([\w-]+)\.\w+\}")
"""An expression that is nothing but a reference to another resource."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    type: str
    """Terraform's type, such as ``aws_subnet``."""

    id: str
    """Terraform's name of it."""

    block: Block
    """Its arguments."""

    looked_up: bool = False
    """Whether it is there already: a data source."""

    @property
    def reference(self) -> str:
        """Its address, such as ``aws_subnet.a``, which expressions begin with."""
        return f"{'data.' if self.looked_up else ''}{self.type}.{self.id}"

    @property
    def path(self) -> str:
        """Where it stands in the tree of constructs, such as ``servers/slot_0/data_volume``."""
        path: str = self.block["//"]["metadata"]["path"].split("/", 1)[1]
        return path.removesuffix("/Resource")

    def get(self, name: str, default: Any = None) -> Any:
        """An argument."""
        return self.block.get(name, default)


@dataclass(frozen=True)
class Document:
    """One stack's ``cdk.tf.json``."""

    stack: str
    content: Block

    @classmethod
    def read(cls, stack: str, folder: Path = STACKS) -> "Document":
        """The stack's file.

        Raises:
            Failure: it has not been synthesised.
        """
        path = folder / stack / "cdk.tf.json"
        if not path.exists():
            raise Failure(f"{path} is missing: run make synth first")
        return cls(stack, json.loads(path.read_text()))

    def all(self, type_: str) -> list[Resource]:
        """Resources of a type, by their path."""
        bodies = self.content.get("resource", {}).get(type_, {})
        return sorted((Resource(type_, id_, block) for id_, block in bodies.items()), key=lambda each: each.path)

    def all_looked_up(self, type_: str) -> list[Resource]:
        """Data sources of a type, by their path."""
        bodies = self.content.get("data", {}).get(type_, {})
        return sorted((Resource(type_, id_, block, True) for id_, block in bodies.items()), key=lambda each: each.path)

    def everything(self) -> Iterator[Resource]:
        """All resources, by type and path."""
        for type_ in sorted(self.content.get("resource", {})):
            yield from self.all(type_)

    def follow(self, expression: str) -> Resource:
        """The resource that an expression such as ``${aws_subnet.a.id}`` refers to.

        Raises:
            ValueError: it is no plain reference to a resource of this stack.
        """
        match = REFERENCE.fullmatch(expression)
        block = match and self.content["resource"].get(match[1], {}).get(match[2])
        if not match or block is None:
            raise ValueError(f"{self.stack}: {expression!r} refers to no resource of the stack")
        return Resource(match[1], match[2], block)
