"""Which of the project's packages imports which: facts read from the code, for the picture in docs/architecture.md."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PURPOSES = {
    "operations": "vet: plan, deploy,\nrestore, report",
    "main": "wiring: settings\nto Terraform JSON",
    "stacks": "which constructs\na stack has",
    "modules": "constructs:\nAWS and Helm",
    "nodes": "programs that run\non the machines",
    "settings": "types, rules, names,\naddresses, prices",
    "bindings": "loads CDKTF's\nclasses quickly",
}
"""Each package, the highest first, and what it is for."""


def imports(root: Path = ROOT) -> Mapping[str, frozenset[str]]:
    """Each package by name, with the others that its files import."""
    return {name: frozenset(_imported(root, name)) - {name} for name in PURPOSES}


def _imported(root: Path, name: str) -> Iterator[str]:
    files = sorted((root / name).rglob("*.py")) or [root / f"{name}.py"]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from {module.partition(".")[0] for module in modules} & PURPOSES.keys()
