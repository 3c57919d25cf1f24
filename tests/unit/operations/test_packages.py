"""The packages of ``operations``: what people want to do, over what several need; none imports one above it."""

import ast
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]

FLOORS = (
    ("cli",),
    ("pipeline",),
    ("deployment",),
    ("doctor", "devtools"),
    ("supply_chain",),
    ("application", "cluster", "report"),
    ("shared",),
)
"""Packages, the highest first."""

LINES = 300
"""The longest file: what a person reads in one go."""

LONGER = {"operations/pipeline/github.py": 450}
"""Files with a reason: one workflow after the other, in the words of one service."""


def imports() -> Mapping[str, frozenset[str]]:
    """Each package by name, with the others of ``operations`` that its files import, anywhere in them."""
    return {name: frozenset(_imported(ROOT / "operations" / name)) - {name} for floor in FLOORS for name in floor}


def _imported(folder: Path) -> set[str]:
    modules: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                modules |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
    return {module.split(".")[1] for module in modules if module.startswith("operations.")}


def test_every_package_has_its_floor() -> None:
    folders = {path.parent.name for path in (ROOT / "operations").glob("*/__init__.py")}
    assert folders == {name for floor in FLOORS for name in floor}


def test_no_package_imports_one_above_it_or_beside_it() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    imported = imports()
    assert sum(map(len, imported.values())) > 15, f"hardly an import was found: {imported}"
    wrong = [
        f"{name} imports {other}"
        for name, others in imported.items()
        for other in others
        if floor[other] <= floor[name]
    ]
    assert not wrong, wrong


def test_what_operates_an_environment_needs_no_development_tool() -> None:
    wrong = [name for name, others in imports().items() if "devtools" in others and name != "cli"]
    assert not wrong, f"{wrong}: devtools needs packages that a deploy does not install"


def test_a_file_is_read_in_one_go() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / "operations").rglob("*.py")}
    long = {
        str(path.relative_to(ROOT)): count
        for path, count in lengths.items()
        if count > LONGER.get(str(path.relative_to(ROOT)), LINES)
    }
    assert not long, f"split what is longer than {LINES} lines: {long}"
