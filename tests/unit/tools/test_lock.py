"""Locks name versions and hashes, not the place that packages came from."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PIPFILES = ("Pipfile", "tests/policy/Pipfile")


@pytest.mark.parametrize("name", PIPFILES)
def test_a_lock_holds_every_package_with_hashes_and_no_address(name: str) -> None:
    pipfile = (ROOT / name).read_text()
    text = (ROOT / f"{name}.lock").read_text()
    lock = json.loads(text)
    assert not re.search(r"^\[\[source", pipfile, re.MULTILINE)
    assert lock["_meta"]["sources"] == [], "run make lock, not pipenv"
    assert not re.search(r"https?://", text), "an address is in the lock"
    packages = {**lock["default"], **lock["develop"]}
    wanted = {key.strip('"') for key in re.findall(r'^("?[a-z0-9][\w.-]*"?) = ', pipfile, re.MULTILINE)}
    assert wanted, f"{name} is read wrongly"
    assert not wanted - set(packages), f"run make lock: {sorted(wanted - set(packages))} are not in the lock"
    bare = [package for package, entry in packages.items() if not entry.get("hashes")]
    assert not bare, f"without hashes: {bare}"


def test_make_lock_renews_every_lock() -> None:
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "scripts/lock.py" in line]
    assert line.split("scripts/lock.py")[1].split() == list(PIPFILES)
