"""The checks before a commit see the files that ``make lint`` sees."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
HOOKS = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
}


def committed(*places: str) -> set[str]:
    """The files that git knows below these places."""
    listed = subprocess.run(["git", "ls-files", "--", *places], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(listed.stdout.splitlines())


def linted(program: str) -> set[str]:
    """The files that make's line for the program names, folders by what is in them."""
    line = re.search(rf"^\t@\$\(RUN\) {program} (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line, f"make lint does not run {program}"
    places = [word for word in line[1].split() if (ROOT / word.rstrip("*")).exists() and word != "nodes/bin"]
    return {name for name in committed(*places) if program != "yamllint" or name.endswith((".yaml", ".yml"))}


@pytest.mark.parametrize("program", ["shellcheck", "yamllint"])
def test_a_hook_sees_the_files_of_make_lint(program: str) -> None:
    assert {name for name in committed() if re.search(HOOKS[program]["files"], name)} == linted(program)


def test_mypy_is_run_for_a_change_in_each_place_that_it_reads() -> None:
    read = re.search(r"^\[tool\.mypy\]\nfiles = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert read
    files = {name for name in committed(*re.findall(r'"([^"]+)"', read[1])) if name.endswith(".py")}
    assert not [name for name in files if not re.search(HOOKS["mypy"]["files"], name)]


def test_words_are_read_at_every_commit() -> None:
    assert "files" not in HOOKS["words"]
