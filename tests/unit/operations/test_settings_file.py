"""Versions are written into an environment's file, and nothing else in it changes."""

import shutil
from pathlib import Path

import pytest
import yaml

from operations.deployment.settings_file import pin
from settings import load
from settings.loader import ENVIRONMENTS
from settings.release_sets import release_set
from settings.upgrades import way

STEPS = way(release_set("documented"), release_set("current")).steps


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the repository's settings."""
    return Path(shutil.copytree(ENVIRONMENTS, tmp_path / "environments"))


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_only_lines_are_added_that_say_the_versions(name: str, files: Path) -> None:
    file = files / f"{name}.yaml"
    before = file.read_text()
    pin(file, STEPS[1].after, "documented")
    after = file.read_text().splitlines()
    missing = [line for line in before.splitlines() if line not in after]
    assert missing == [], f"lines were changed: {missing}"
    versions = yaml.safe_load(file.read_text())["cluster"]
    assert versions == {"release_set": "documented", "versions": {key: to for key, (_, to) in _since(1).items()}}


def _since(step: int) -> dict[str, tuple[str | None, str]]:
    changes: dict[str, tuple[str | None, str]] = {}
    for each in STEPS[: step + 1]:
        changes |= each.changes
    return changes


def test_what_was_written_loads_as_the_versions_that_were_meant(files: Path) -> None:
    for step in STEPS:
        base = "current" if "plugin-barman-cloud" in step.after.pins else "documented"
        pin(files / "dev.yaml", step.after, base)
        cluster = load(files).environment("dev").cluster
        assert cluster.releases.pins == cluster.installed(step.after).pins


def test_versions_that_are_the_sets_are_taken_away_again(files: Path) -> None:
    file = files / "dev.yaml"
    pin(file, STEPS[0].after, "documented")
    assert "versions:" in file.read_text()
    pin(file, release_set("current"), "current")
    assert yaml.safe_load(file.read_text())["cluster"] == {"release_set": "current"}


def test_comments_and_keys_of_people_below_cluster_stay(files: Path) -> None:
    file = files / "dev.yaml"
    file.write_text(
        file.read_text() + "\ncluster:\n  # a range of ours\n  pod_cidr: 10.44.0.0/16  # agreed with the network team\n"
    )
    pin(file, STEPS[0].after, "documented")
    text = file.read_text()
    assert "  # a range of ours\n  pod_cidr: 10.44.0.0/16  # agreed with the network team\n" in text, text
    assert [path.name for path in files.iterdir() if path.name.startswith(".")] == [], "a file was left behind"
