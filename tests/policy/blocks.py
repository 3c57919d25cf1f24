"""Resources of synthesised stacks, and the expressions in them: what the checks of AWS's constraints walk over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXPRESSION = re.compile(r"\$\{(?:[^{}\"]|\"(?:[^\"\\]|\\.)*\"|\{[^{}]*\})*\}")
"""One expression inside of a text; its value is known at apply."""

WHOLE_EXPRESSION = re.compile(rf"(?:{EXPRESSION.pattern})")


@dataclass(frozen=True)
class Block:
    """One AWS resource of a stack."""

    stack: str
    type: str
    name: str
    body: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.stack}/{self.name}"

    @property
    def reference(self) -> str:
        """How other resources name this one's id, in the same stack."""
        return f"${{{self.type}.{self.name}.id}}"

    @property
    def repeated(self) -> bool:
        """Whether it stands for several."""
        return bool(self.body.get("count") or self.body.get("for_each"))


def resources(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Block]:
    """Every AWS resource, by stack and type."""
    for stack, document in sorted(documents.items()):
        for type_, blocks in sorted(document.get("resource", {}).items()):
            if type_.startswith("aws_"):
                yield from (Block(stack, type_, name, body) for name, body in blocks.items())


def known(value: Any) -> bool:
    """Whether a value stands in the JSON, and is not left to an apply."""
    return value is not None and not (isinstance(value, str) and EXPRESSION.search(value))
