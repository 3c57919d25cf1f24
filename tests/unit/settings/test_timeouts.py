"""Each hop nearer to the application keeps an idle connection longer; what is said of other programs is what they are set to."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from settings import load, timeouts
from settings.load_balancer import LoadBalancer
from settings.timeouts import pairs

ROOT = Path(__file__).parents[3]


def test_every_inner_side_outlasts_the_outer_one() -> None:
    for environment in load().environments:
        for idle in (60, environment.load_balancer.idle_timeout_seconds, timeouts.LONGEST_LOAD_BALANCER):
            balancer = environment.load_balancer.model_copy(update={"idle_timeout_seconds": idle})
            assert [str(pair) for pair in pairs(balancer) if not pair.holds] == []


def test_a_pair_without_its_margin_does_not_hold() -> None:
    pair = pairs(LoadBalancer(access_logs=False))[0]
    assert not replace(pair, more=pair.seconds + timeouts.MARGIN - 1).holds


@pytest.mark.parametrize(
    ("file", "pattern", "seconds"),
    [
        ("vet_app/gunicorn.conf.py", r"^keepalive = (\d+)", timeouts.APPLICATION),
        ("vet_app/vetclinic/databases.py", r'"CONN_MAX_AGE": (\d+)', timeouts.APPLICATION_TO_DATABASE),
    ],
)
def test_what_is_said_of_the_application_is_what_it_does(file: str, pattern: str, seconds: int) -> None:
    found = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert found, f"{file} has no {pattern}"
    assert int(found[1]) == seconds, f"{file} and settings/timeouts.py disagree"
