"""Runbooks name only pages and programs that exist, and each of their commands is proven somewhere."""

import re
from pathlib import Path

import pytest

from tests import runbooks
from tests.runbooks import PAGES, ROOT, SUITES, commands, pages, table

RUNBOOKS = sorted(PAGES.glob("*.md"))
REFERENCE = re.compile(r"((?:vet_app/)?tests/[a-z_/]+\.py)::(test_\w+)")


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
    programs = [*(ROOT / "operations").rglob("*.py"), *(ROOT / "nodes/bin").iterdir()]
    named = {name for path in programs for name in re.findall(r"docs/runbooks/([a-z-]+\.md)", path.read_text())}
    assert named, "no message names a runbook; this test looks at the wrong place"
    assert named <= {page.name for page in RUNBOOKS}


@pytest.mark.parametrize("page", pages())
def test_the_table_has_every_command_of_a_page_and_no_other(page: str) -> None:
    listed = list(table().get(page, {}))
    assert [each for each in commands(page) if each not in listed] == [], (
        "tests/runbooks.yaml does not say where it is proven"
    )
    assert [each for each in listed if each not in commands(page)] == [], f"{page}.md has no such command any more"


def test_a_command_that_is_added_to_a_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """Run `make new ENV=prod`.

    aws new one \\
      --two
    # a remark

1. A step:

       kubectl new <<'EOF'
       x
       EOF

```yaml
setting: true
```
"""
    (tmp_path / "new.md").write_text(text)
    monkeypatch.setattr(runbooks, "PAGES", tmp_path)
    assert commands("new") == ("make new ENV=prod", "aws new one \\\n  --two", "kubectl new <<'EOF'\nx\nEOF")


@pytest.mark.parametrize("page", sorted(table()))
def test_what_the_table_says_of_a_page_is_so(page: str) -> None:
    for command, where in table()[page].items():
        if where in SUITES:
            suite = (ROOT / "tests" / where / "test_runbooks.py").read_text()
            assert re.search(rf'[("]{page}"', suite), f"tests/{where}/test_runbooks.py does not follow {page}.md"
        elif match := REFERENCE.fullmatch(where):
            assert f"def {match[2]}(" in (ROOT / match[1]).read_text(), f"{command}: there is no test {where}"
        elif where.startswith("as on "):
            other = table()[where.removeprefix("as on ")].get(command, "")
            assert other in SUITES, f"{command}: {where} it is not run, but {other or 'missing'}"
        else:
            assert where.startswith("not tried: "), f"{command}: {where!r} is no proof"
            assert len(where.split()) > 5, f"{command}: {where!r} gives no reason"
