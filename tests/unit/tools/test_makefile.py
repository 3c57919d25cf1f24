"""What is given on make's command line reaches a program as it is, and never a shell or make itself."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text().replace("\\\n", " ")
VARIABLES = re.search(r"^VARIABLES = (.*)$", MAKEFILE, re.MULTILINE)[1].split()  # type: ignore[index]
RECIPES: Mapping[str, str] = dict(re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))

EVIL = """two words'; touch pwned; ' "; touch pwned; " `touch pwned` $(touch pwned) $(shell touch pwned) $$ * \\"""

RECORDER = f"""#!{sys.executable}
import json, os, sys
with open("told", "a") as file:
    file.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
"""
"""Takes the place of ``scripts/run``: it writes down what it gets."""

TAKEN = {name: [one for one in VARIABLES if re.search(rf"\$\$\{{?{one}\b", RECIPES[name])] for name in RECIPES}
"""Variables whose values each target's recipe takes."""

SWITCHED = {name: re.findall(r"\$\(if \$\((\w+)\)", RECIPES[name]) for name in RECIPES}


def make(folder: Path, target: str, given: Mapping[str, str]) -> list[tuple[list[str], dict[str, str]]]:
    """Run a target whose programs are simulated: arguments and environment of each."""
    recorder = folder / "recorder"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    words = [f"{name}={value}" for name, value in given.items()]
    command = ["make", "-f", str(ROOT / "Makefile"), target, f"RUN={recorder}", *words]
    kept = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, "VET_TEST_KUBECONFIG")}
    answer = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return [tuple(json.loads(line)) for line in (folder / "told").read_text().splitlines()]


@pytest.mark.parametrize(
    ("target", "variable"), [(target, variable) for target, variables in TAKEN.items() for variable in variables]
)
def test_a_value_is_taken_as_it_is(target: str, variable: str, tmp_path: Path) -> None:
    calls = make(tmp_path, target, {variable: EVIL})
    assert not list(tmp_path.rglob("pwned")), f"make {target} {variable}=... ran what is in the value"
    arguments, environment = calls[-1]
    handed_on = [value for name, value in environment.items() if name.startswith("VET_")]
    reached = [word for word in [*arguments, *handed_on] if EVIL in word]
    assert reached, f"make {target} {variable}=... lost the value: {arguments}"


@pytest.mark.parametrize("target", [target for target, names in SWITCHED.items() if names])
def test_a_switch_runs_nothing_either(target: str, tmp_path: Path) -> None:
    make(tmp_path, target, dict.fromkeys(SWITCHED[target], EVIL))
    assert not list(tmp_path.rglob("pwned")), f"make {target} ran what is in the value of a switch"


@pytest.mark.parametrize("target", [target for target, names in TAKEN.items() if "ENV" in names])
def test_a_value_that_begins_with_a_dash_is_no_option(target: str, tmp_path: Path) -> None:
    arguments, _ = make(tmp_path, target, {"ENV": "--yes"})[-1]
    assert arguments.index("--") < min(place for place, word in enumerate(arguments) if word.endswith("--yes"))


def test_no_recipe_has_a_value_in_its_text() -> None:
    """Make would put it there before any shell reads it."""
    for target, recipe in RECIPES.items():
        bare = re.sub(r"\$\(if \$\(\w+\),", "", recipe)
        for name in VARIABLES:
            assert f"$({name})" not in bare, f"make {target}: $({name}) stands in the recipe; take it as $${{{name}-}}"


def test_all_that_may_be_given_is_listed() -> None:
    offered = set(re.findall(r"\b([A-Z][A-Z_]*)=", "\n".join(re.findall(r"## (.*)", MAKEFILE))))
    known = {*VARIABLES, "VET_TEST_API", "VET_TEST_KUBECONFIG", "VET_TEST_CHARTS"}
    assert offered <= known, f"offered by make help and not in VARIABLES: {sorted(offered - known)}"
    asked = {name for names in SWITCHED.values() for name in names}
    assert asked <= known, f"asked for in a recipe and not in VARIABLES: {sorted(asked - known)}"
