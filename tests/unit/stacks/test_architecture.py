"""Every line of docs/architecture.txt that names infrastructure has a test, by ``tests/architecture.yaml``."""

import ast
import re
from collections.abc import Iterator

from tests.architecture import ROOT, mapping, proofs

DOCUMENT = ROOT / "docs/architecture.txt"
LATER = "Future Enhancements"
"""The section of what the document itself puts off: its lines are counted apart from those of what it asks for."""


def _lines(sections: set[str]) -> Iterator[tuple[str, str, str]]:
    """(section, subsection, line) of the document's bullets in these sections."""
    section = subsection = ""
    for raw in DOCUMENT.read_text().splitlines():
        if match := re.match(r"(?:## |### \d+\. )(.+)$", raw):
            section = subsection = match[1]  # what stands before the first heading below it is its own
        elif match := re.match(r"####? (.+)$", raw):
            subsection = match[1]
        elif section in sections and subsection and (line := _text(raw)):
            yield section, subsection, line


def _text(raw: str) -> str:
    """A line without its bullet, number and bold marks."""
    return re.sub(r"^\s*(?:- |\d+\. )?", "", raw).replace("**", "").strip()


def test_every_line_that_names_infrastructure_is_mapped() -> None:
    mapped = mapping()
    lines = list(_lines(set(mapped)))
    assert len(lines) > 60, f"only {len(lines)} lines found: the document is read wrongly"
    missing = [line for line in lines if line[2] not in mapped[line[0]].get(line[1], {})]
    assert not missing, "lines of docs/architecture.txt without a test:\n" + "\n".join(map(str, missing))


def test_every_mapped_line_is_in_the_document() -> None:
    mapped = mapping()
    lines = set(_lines(set(mapped)))
    stale = [
        (section, subsection, line)
        for section, subsections in mapped.items()
        for subsection, entries in subsections.items()
        for line in entries
        if (section, subsection, line) not in lines
    ]
    assert not stale, f"not in docs/architecture.txt: {stale}"


def test_every_test_that_is_named_exists() -> None:
    for test in sorted({test for _, tests in proofs() for test in tests}):
        module, function = test.split("::")
        source = ROOT / module
        assert source.exists(), f"{test}: there is no {module}"
        functions = {node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)}
        assert function in functions, f"{test}: {source.name} has no such test"


def test_a_line_without_a_test_says_why() -> None:
    reasons = {
        (section, line): proof
        for section, subsections in mapping().items()
        for lines in subsections.values()
        for line, proof in lines.items()
        if isinstance(proof, dict)
    }
    assert all(set(reason) == {"because"} and len(reason["because"].split()) > 4 for reason in reasons.values()), (
        reasons
    )
    later = {line for section, line in reasons if section == LATER}
    now = {line for section, line in reasons if section != LATER}
    assert len(now) <= 9, f"too many lines are only said: {sorted(now)}"
    assert len(later) <= 4, f"too many of the later steps are only said: {sorted(later)}"
