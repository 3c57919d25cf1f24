"""``make library``: what others may use of the constructs and settings, as docs/library.txt lists it.

The list is read from the code. Its first line holds a checksum of what CHANGELOG says of the library, and a list that has changed is only written
together with another entry there.
"""

import ast
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / "docs/library.txt"
CHANGELOG = ROOT / "CHANGELOG.md"
SNAPSHOT = ROOT / "tests/snapshot"

ENTRY = "- **Library**"
"""How an entry about the library begins."""

HEAD = "# Made by make library. CHANGELOG, entries about the library: "

SETTINGS = (
    "access", "addresses", "backups", "budget", "cluster", "cost", "environment", "load_balancer", "loader", "names", "network", "nodes",
    "observability", "problems", "project", "schedule", "workloads",
)  # fmt: skip
"""Modules of ``settings`` that are public; the others read, check and explain them."""


def files() -> list[Path]:
    """The public modules."""
    paths = [*(ROOT / "modules").rglob("*.py"), *(ROOT / "stacks").rglob("*.py")]
    paths += [ROOT / f"settings/{name}.py" for name in SETTINGS]
    return sorted(path for path in paths if path.name != "__init__.py")


def surface() -> list[str]:
    """Every line of the list but the first."""
    lines = []
    for path in files():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        lines += ["", module, *(f"  {line}" for line in _module(ast.parse(path.read_text())))]
    for name in ("vet-state", "vet-dev", "vet-dev-helm"):
        outputs = json.loads((SNAPSHOT / f"{name}.json").read_text())["output"]
        lines += ["", f"outputs of {name}", *(f"  {output}" for output in sorted(outputs))]
    return lines


def _module(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield f"class {name}({', '.join(map(ast.unparse, node.bases))})"
                yield from (f"  {line}" for line in _class(node))
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                yield _signature(node)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if not name.startswith("_"):
                    yield name


def _class(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield ast.unparse(statement)
            case ast.FunctionDef(name="__init__"):
                yield _signature(statement)
                yield from _attributes(statement)
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                marks = {ast.unparse(each) for each in statement.decorator_list}
                yield ("property " if "property" in marks else "") + _signature(statement)
    yield from sorted({line for each in ast.walk(node) for line in _children(each)})


def _attributes(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in (each for one in targets for each in (one.elts if isinstance(one, ast.Tuple) else [one])):
            match target:
                case ast.Attribute(value=ast.Name(id="self"), attr=name) if not name.startswith("_"):
                    yield f"attribute {name}"


def _children(node: ast.AST) -> Iterator[str]:
    """Ids of constructs, where the code has them as they are."""
    match node:
        case ast.Call(
            func=ast.Name(id=kind), args=[ast.Name(id="self" | "scope") | ast.Attribute(attr="_scope"), ast.Constant(value=str(id_)), *_]
        ) if kind[0].isupper():  # fmt: skip
            yield f"id {id_}: {kind}"


def _signature(function: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"{function.name}({ast.unparse(function.args)}){returns}"


def entries() -> str:
    """Checksum of what CHANGELOG says of the library."""
    lines, inside = [], False
    for line in CHANGELOG.read_text().splitlines():
        inside = line.startswith(ENTRY) or (inside and line.startswith("  "))
        if inside:
            lines.append(line.strip())
    return sha256(" ".join(lines).encode()).hexdigest()[:12]


def written(head: str, lines: list[str]) -> str:
    """The list as text."""
    return "\n".join([HEAD + head, *lines, ""])


def main() -> int:
    """Make the list again, if CHANGELOG says why it changes; the exit status."""
    before = LIST.read_text().splitlines() if LIST.exists() else [""]
    after, digest = surface(), entries()
    if before[1:] != after and before[0] == HEAD + digest:
        print(
            f"The library's public names change, and CHANGELOG has no new entry about it: write one that begins with `{ENTRY}` "
            "(docs/library.md tells under which heading), then run this again.",
            file=sys.stderr,
        )
        return 1
    LIST.write_text(written(digest, after))
    print(f"wrote {LIST.relative_to(ROOT)}: {len(after)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
