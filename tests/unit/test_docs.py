"""The pages that lead to other pages: every link leads somewhere, every decision has its own number, no package imports upward."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from operations.report import layers

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("*.md")),
    ROOT / "tests/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", dict.fromkeys(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_every_make_target_exists(page: Path) -> None:
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing, f"{page.name} links to what does not exist: {missing}"
    unknown = set(re.findall(r"`make ([a-z][a-z-]+)", text)) - TARGETS
    assert not unknown, f"{page.name}: make has no {sorted(unknown)}"


@pytest.mark.parametrize("step", re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL))
def test_the_steps_of_contributing_fit_the_code(step: str) -> None:
    """`make test-contributing` carries them out; this only asks Git whether each still applies."""
    answer = subprocess.run(
        ["git", "apply", "--check", "-C1", "-"], cwd=ROOT, input=step, capture_output=True, text=True
    )
    assert answer.returncode == 0, f"write the step again for the code as it is:\n{answer.stderr}"


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(path.name[:4] for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert len(numbers) > 30, numbers
    assert not (twice := [number for number, count in numbers.items() if count > 1]), f"numbers used twice: {twice}"


def test_the_map_names_every_page_and_folder_of_docs() -> None:
    text = (ROOT / "docs/README.md").read_text()
    entries = [path.name for path in (ROOT / "docs").iterdir() if path.name != "README.md"]
    assert entries
    assert not (missing := [name for name in entries if f"({name}" not in text]), f"docs/README.md leaves out {missing}"


def test_no_package_imports_one_above_it() -> None:
    order = list(layers.PURPOSES)
    imported = layers.imports()
    assert imported["operations"], "no import was found; the picture would be empty"
    upward = [
        f"{name} imports {other}"
        for name, others in imported.items()
        for other in others
        if order.index(other) < order.index(name)
    ]
    assert not upward, f"docs/architecture.md says that no arrow leads upward: {upward}"
