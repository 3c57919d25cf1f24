"""Runbooks name only commands and pages that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda path: path.name)
def test_everything_that_a_runbook_names_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)(?= ENV=|`| and| to)", text)) | set(
        re.findall(r"\bmake ([a-z-]+) ENV=", text)
    )
    assert named <= targets, f"make has no target {sorted(named - targets)}"
    programs = set(re.findall(r"/opt/vet/bin/([a-z0-9-]+)", text))
    assert programs <= {path.name for path in (ROOT / "nodes/bin").iterdir()}
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (page.parent / link).exists(), f"{link} does not exist"


def test_every_case_has_a_page_and_every_page_is_listed() -> None:
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", (ROOT / "docs/runbooks/README.md").read_text()))
    assert listed == {page.name for page in RUNBOOKS} - {"README.md"}


def test_messages_name_runbooks_that_exist() -> None:
    programs = [*(ROOT / "operations").glob("*.py"), *(ROOT / "nodes/bin").iterdir()]
    named = {name for path in programs for name in re.findall(r"docs/runbooks/([a-z-]+\.md)", path.read_text())}
    assert named, "no message names a runbook; this test looks at the wrong place"
    assert named <= {page.name for page in RUNBOOKS}
