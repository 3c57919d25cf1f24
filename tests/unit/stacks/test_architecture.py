"""Every line of docs/architecture.txt that names infrastructure has a test, by ``tests/architecture.yaml``."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs/architecture.txt"
MAPPING = ROOT / "tests/architecture.yaml"

ESTIMATES = re.compile(r"^Estimated cost|^Schedule start/stop|^Use reserved")
"""Lines about money rather than things: the cost table answers them."""


def _lines(sections: set[str]) -> Iterator[tuple[str, str, str]]:
    """(section, subsection, line) of the document's bullets in these sections."""
    section = subsection = ""
    for raw in DOCUMENT.read_text().splitlines():
        if match := re.match(r"(?:## |### \d+\. )(.+)$", raw):
            section = subsection = match[1]  # what stands before the first heading below it is its own
        elif match := re.match(r"####? (.+)$", raw):
            subsection = match[1]
        elif section in sections and subsection and (line := _text(raw)) and not ESTIMATES.match(line):
            yield section, subsection, line


def _text(raw: str) -> str:
    """A line without its bullet, number and bold marks."""
    return re.sub(r"^\s*(?:- |\d+\. )?", "", raw).replace("**", "").strip()


def _mapping() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MAPPING.read_text())
    return found


def test_every_line_that_names_infrastructure_is_mapped() -> None:
    mapping = _mapping()
    lines = list(_lines(set(mapping)))
    assert len(lines) > 60, f"only {len(lines)} lines found: the document is read wrongly"
    missing = [line for line in lines if line[2] not in mapping[line[0]].get(line[1], {})]
    assert not missing, "lines of docs/architecture.txt without a test:\n" + "\n".join(map(str, missing))


def test_every_mapped_line_is_in_the_document() -> None:
    mapping = _mapping()
    lines = set(_lines(set(mapping)))
    stale = [
        (section, subsection, line)
        for section, subsections in mapping.items()
        for subsection, found in subsections.items()
        for line in found
        if (section, subsection, line) not in lines
    ]
    assert not stale, f"not in docs/architecture.txt: {stale}"


def test_every_test_that_is_named_exists() -> None:
    named = {
        test
        for subsections in _mapping().values()
        for lines in subsections.values()
        for tests in lines.values()
        if not isinstance(tests, dict)
        for test in ([tests] if isinstance(tests, str) else tests)
    }
    for test in sorted(named):
        module, function = test.split("::")
        folder, _, name = module.rpartition("/")
        source = ROOT / "tests/unit" / (folder or "stacks") / f"test_{name}.py"
        assert source.exists(), f"{test}: there is no {source.relative_to(ROOT)}"
        functions = {node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)}
        assert function in functions, f"{test}: {source.name} has no such test"


def test_a_line_without_a_test_says_why() -> None:
    reasons = {
        line: found
        for subsections in _mapping().values()
        for lines in subsections.values()
        for line, found in lines.items()
        if isinstance(found, dict)
    }
    assert all(set(found) == {"because"} and len(found["because"].split()) > 4 for found in reasons.values()), reasons
    assert len(reasons) <= 10, f"too many lines are only said: {sorted(reasons)}"
