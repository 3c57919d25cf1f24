"""One source, several engines: the same JSON by CDK for Terraform and by CDK Terrain, on each Python, with and without the levers."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engines.environments import ENGINES, environment, interpreter, synthesised

ALLOWED: dict[str, str] = yaml.safe_load((ENGINES / "differences.yaml").read_text())
COMBINATIONS = [
    ("cdktf-0.21", "3.12"),
    ("cdktf-0.21", "3.13"),
    ("cdktn-0.22", "3.11"),
    ("cdktn-0.24", "3.11"),
    ("cdktn-0.24", "3.13"),
]
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


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The documents that this environment's engine writes."""
    return synthesised(sys.executable, tmp_path_factory.mktemp("ours"))


@pytest.mark.parametrize(("engine", "python"), COMBINATIONS)
def test_an_engine_writes_the_same_json(engine: str, python: str, ours: dict[str, object], tmp_path: Path) -> None:
    if interpreter(python) is None:
        pytest.skip(f"no Python {python}: install one, for instance with pyenv install {python}")
    program = environment(engine, python)
    name = engine.partition("-")[0]
    theirs = synthesised(program, tmp_path / "levers", VET_CDK=name)
    plain = synthesised(program, tmp_path / "plain", VET_CDK=name, VET_PLAIN_BINDINGS="1")
    assert theirs == plain, "the levers change what this engine writes"
    assert theirs.keys() == ours.keys()
    found = [f"{stack}: {each}" for stack in ours for each in _differences(ours[stack], theirs[stack])]
    used = {pattern for each in found for pattern in ALLOWED if re.match(rf"\S+: {pattern}: ", each)}
    NEEDED.update(used)
    unknown = [each for each in found if not any(re.match(rf"\S+: {pattern}: ", each) for pattern in used)]
    assert not unknown, f"{engine} on Python {python}: " + "\n".join(unknown[:20])


def test_each_difference_that_is_allowed_is_needed() -> None:
    if not NEEDED:
        pytest.skip("no engine was compared in this run: run the whole file (make test-engines)")
    assert ALLOWED.keys() == NEEDED, f"no engine needs {sorted(ALLOWED.keys() - NEEDED)}"
