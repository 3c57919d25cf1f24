"""The way from `documented` to `current`, taken by ``make upgrade`` on real API servers, with a stop in between and a step back at the end."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import yaml

from operations.deployment import upgrade_back
from operations.deployment.upgrade import snapshot_name
from settings import load
from settings.release_sets import parse, release_set
from tests.upgrade.conftest import STEPS, STUMBLE, TARGET
from tests.upgrade.walk import Walk


def test_it_ends_at_the_set_with_the_database_of_the_start(stopped_at: str, walk: Walk) -> None:
    cluster = load(walk.files).environment("dev").cluster
    assert (cluster.release_set, cluster.versions) == (TARGET, {"postgresql": "16.15"})
    assert walk.version == walk.versions[-1]
    assert "# Development: small, cheap" in (walk.files / "dev.yaml").read_text(), "comments of the file are gone"


def test_after_the_stop_it_went_on_where_it_was(stopped_at: str, walk: Walk) -> None:
    """Every step has its snapshot once, though the command ran twice."""
    assert stopped_at == "server 0 did not come back"
    assert list(walk.saved) == [snapshot_name(step) for step in STEPS]
    assert any(STUMBLE in step.title for step in STEPS)


def test_a_second_deploy_of_the_same_file_on_the_same_kubernetes_changes_nothing(stopped_at: str, walk: Walk) -> None:
    repeated = [changed for (before, _), (after, changed) in pairwise(walk.deploys) if before == after and changed]
    assert repeated == []
    assert sum(before == after for (before, _), (after, _) in pairwise(walk.deploys)) >= 1, "it was never tried"


def test_nothing_that_holds_data_or_work_was_lost_or_made_anew(stopped_at: str, walk: Walk) -> None:
    assert len(walk.baseline) > 20, sorted(walk.baseline)
    assert dict(walk.losses()) == {}


def test_nothing_asked_for_a_version_of_a_kind_that_is_gone_at_the_end(stopped_at: str, walk: Walk) -> None:
    last = parse(walk.versions[-1])
    gone = {
        f"on {version}: {what}": minor
        for version, apis in walk.removed.items()
        for what, minor in apis.items()
        if "flowcontrol" not in what and parse(minor) <= last  # the API server's own requests
    }
    assert gone == {}


def test_the_rights_of_newer_clusters_are_there(stopped_at: str, walk: Walk) -> None:
    """deploy's policy is for Kubernetes 1.30 and newer, and the chart was first installed on an older one."""
    assert walk.running
    assert "deploy-changes-images" in walk.running.names("validatingadmissionpolicies")


def test_one_step_back(stopped_at: str, walk: Walk) -> None:
    """``BACK=yes`` after the last step that rolled, whose file is put back first, as if the way had ended there."""
    number = max(number for number, step in enumerate(STEPS) if step.rolls)
    step, before = STEPS[number], snapshot_name(STEPS[number])
    _, version, file = walk.saved[before]
    walk.as_after(before)
    upgrade_back.run("dev", auto_approve=True)
    assert walk.version == version
    assert walk.environment.releases.pins == step.before.pins
    assert yaml.safe_load((walk.files / "dev.yaml").read_text()) == yaml.safe_load(file), (
        "the file is not the former one"
    )
    assert dict(walk.losses()) == {}
    walk.deploy()
    assert walk.deploys[-1][1] == [], walk.deploys[-1]


@pytest.fixture(scope="session", autouse=True)
def report(walk: Walk) -> Iterator[None]:
    """Prints what was seen, with times."""
    yield
    print("\n".join(walk.log))


def test_the_sets_are_what_the_walk_is_about() -> None:
    assert STEPS[0].before.pins.items() <= release_set("documented").pins.items()
