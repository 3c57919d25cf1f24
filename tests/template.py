"""Look into synthesised Terraform JSON, with failures that say what was found instead.

CDKTF's own matchers answer only yes or no, and yes as soon as any one resource fits; these name the resource.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Block = dict[str, Any]

REFERENCE = re.compile(r"(?<![\w.])(data\.)?(aws_[a-z0-9_]+|helm_release|kubernetes_[a-z0-9_]+)\.([A-Za-z0-9_-]+)")
"""A reference to a resource or data source inside an expression."""


@dataclass(frozen=True)
class Template:
    """One stack's ``cdk.tf.json``."""

    name: str
    document: Block

    @classmethod
    def read(cls, path: Path) -> "Template":
        """Read a stack's file below ``cdktf.out/stacks``."""
        return cls(path.parent.name, json.loads(path.read_text()))

    @property
    def text(self) -> str:
        """The whole document as JSON, for searching."""
        return json.dumps(self.document)

    def resources(self, type_: str) -> dict[str, Block]:
        """All resources of a type by their path in the construct tree, such as ``servers/slot_0/data_volume``."""
        return {_path(block): block for block in self.document.get("resource", {}).get(type_, {}).values()}

    def every_resource(self) -> Iterator[tuple[str, str, Block]]:
        """Type, path and block of every resource."""
        for type_, blocks in sorted(self.document.get("resource", {}).items()):
            for block in blocks.values():
                yield type_, _path(block), block

    def one(self, type_: str, path: str | None = None, /, **properties: Any) -> Block:
        """The only resource of a type that has these properties (and this path, if given)."""
        blocks = [
            block
            for found_path, block in self.resources(type_).items()
            if path in (None, found_path) and _has(block, properties)
        ]
        assert len(blocks) == 1, (
            f"{self.name}: expected one {type_} {path or ''} with {properties}, found {len(blocks)} among:\n"
            + "\n".join(f"  {p}: {_brief(block, properties)}" for p, block in self.resources(type_).items())
        )
        return blocks[0]

    def count(self, type_: str, /, **properties: Any) -> int:
        """How many resources of a type have these properties."""
        return sum(_has(block, properties) for block in self.resources(type_).values())

    def output(self, name: str) -> Block:
        """An output by its name."""
        outputs = self.document.get("output", {})
        assert name in outputs, f"{self.name}: no output {name!r}; there are {sorted(outputs)}"
        block: Block = outputs[name]
        return block

    def declared(self) -> set[str]:
        """Addresses of all resources and data sources."""
        addresses = {f"{t}.{id_}" for t, blocks in self.document.get("resource", {}).items() for id_ in blocks}
        return addresses | {f"data.{t}.{id_}" for t, blocks in self.document.get("data", {}).items() for id_ in blocks}

    def references(self) -> set[str]:
        """Addresses that expressions, ``depends_on`` and lifecycle rules name."""
        return {
            f"{data}{type_}.{id_}"
            for text in _strings(self.document)
            for data, type_, id_ in REFERENCE.findall(_expressions(text))
        }

    def reference_to(self, type_: str, path: str) -> str:
        """The address of a resource, for comparing with what another resource refers to."""
        for id_, block in self.document.get("resource", {}).get(type_, {}).items():
            if _path(block) == path:
                return f"{type_}.{id_}"
        raise AssertionError(f"{self.name}: no {type_} at {path}; there are {sorted(self.resources(type_))}")


def _path(block: Block) -> str:
    path: str = block["//"]["metadata"]["path"].split("/", 1)[1]
    return path.removesuffix("/Resource")


def _has(block: Any, properties: Any) -> bool:
    if isinstance(properties, dict) and isinstance(block, dict):
        return all(key in block and _has(block[key], value) for key, value in properties.items())
    return bool(block == properties)


def _brief(block: Block, properties: Block) -> Block:
    return {key: value for key, value in block.items() if (key in properties if properties else key != "//")}


def _strings(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield f"${{{value}}}" if key in ("depends_on", "replace_triggered_by") else value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name != "//":
                yield from _strings(item, name)


def _expressions(text: str) -> str:
    """Only what stands in ``${...}``: other text may look like a reference without being one."""
    return " ".join(re.findall(r"(?<!\$)\$\{(.*?)\}(?!\})", text, flags=re.DOTALL)) if "${" in text else ""
