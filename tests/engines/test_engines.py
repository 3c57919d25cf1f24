"""One source, several engines: the same JSON by CDK for Terraform and by CDK Terrain, on each Python, with and without the optimizations."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from packages.quick_bindings.measure import Run
from tests.engines.environments import ENGINES, documents, environment, interpreter, synthesise, versions

ALLOWED: dict[str, str] = yaml.safe_load((ENGINES / "differences.yaml").read_text())
COMBINATIONS = [
    ("cdktf-0.21", "3.11", "20"),
    ("cdktf-0.21", "3.12", "24"),
    ("cdktf-0.21", "3.13", "24"),
    ("cdktf-0.21", "3.14", "24"),
    ("cdktf-0.21-constructs-10.8", "3.13", "20"),
    ("cdktf-0.21-constructs-10.8", "3.12", "22"),
    ("cdktn-0.22", "3.11", "24"),
    ("cdktn-0.22", "3.13", "20"),
    ("cdktn-0.24", "3.11", "24"),
    ("cdktn-0.24", "3.12", "22"),
    ("cdktn-0.24", "3.13", "20"),
    ("cdktn-0.24", "3.13", "24"),
    ("cdktn-0.24", "3.14", "24"),
]
"""Engine, Python and Node: docs/engines.md has what was seen of each."""

NEEDED: set[str] = set()
"""Patterns of ``differences.yaml`` that an engine needed."""


def _differences(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from _differences(ours.get(key), theirs.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif ours != theirs:
        yield f"{place}: {str(ours)[:80]} here, {str(theirs)[:80]} there"


def measured(versions: Mapping[str, str], plain: Run, quick: Run) -> str:
    """A line of the table that ends the run: versions, then processor time and memory with plain imports and with the optimizations."""
    times = f"{plain.processor:.1f} s, {plain.megabytes:.0f} MB | {quick.processor:.1f} s, {quick.megabytes:.0f} MB"
    ratio = f"{plain.processor / quick.processor:.1f} and {plain.megabytes / quick.megabytes:.1f} times"
    return f"| {', '.join(f'{name} {version}' for name, version in sorted(versions.items()))} | {times} | {ratio} |"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The documents that this environment's engine writes."""
    folder = tmp_path_factory.mktemp("ours")
    synthesise(sys.executable, folder)
    return documents(folder)


@pytest.mark.parametrize(("engine", "python", "node"), COMBINATIONS)
def test_an_engine_writes_the_same_json(
    engine: str,
    python: str,
    node: str,
    ours: dict[str, dict[str, Any]],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    if interpreter(python) is None:
        pytest.skip(f"no Python {python}: install one, for instance with pyenv install {python}")
    program = environment(engine, python, node)
    name = engine.partition("-")[0]
    synthesise(
        program, tmp_path / "optimizations", VET_CDK=name
    )  # what a first run keeps for the next ones is not what is measured
    quick = synthesise(program, tmp_path / "optimizations", VET_CDK=name)
    slow = synthesise(program, tmp_path / "plain", VET_CDK=name, VET_PLAIN_BINDINGS="1")
    record_property("measured", measured(versions(program), slow, quick))
    theirs = documents(tmp_path / "optimizations")
    assert theirs == documents(tmp_path / "plain"), "the optimizations change what this engine writes"
    assert theirs.keys() == ours.keys()
    differences = [f"{stack}: {each}" for stack in ours for each in _differences(ours[stack], theirs[stack])]
    used = {pattern for each in differences for pattern in ALLOWED if re.match(rf"\S+: {pattern}: ", each)}
    NEEDED.update(used)
    unknown = [each for each in differences if not any(re.match(rf"\S+: {pattern}: ", each) for pattern in used)]
    assert not unknown, f"{engine} on Python {python} and Node {node}: " + "\n".join(unknown[:20])


def test_each_difference_that_is_allowed_is_needed() -> None:
    if not NEEDED:
        pytest.skip("no engine was compared in this run: run the whole file (make test-engines)")
    assert ALLOWED.keys() == NEEDED, f"no engine needs {sorted(ALLOWED.keys() - NEEDED)}"
