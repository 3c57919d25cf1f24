"""Each hop nearer to the application keeps an idle connection longer; what is said of other programs is what they are set to."""

import re
from pathlib import Path
from typing import Any

import pytest

from settings import load, timeouts
from settings.cluster import INGRESS
from settings.load_balancer import LoadBalancer
from settings.timeouts import pairs
from tests.unit.settings.conftest import Files

ROOT = Path(__file__).parents[3]


def test_every_inner_side_outlasts_the_outer_one() -> None:
    for environment in load().environments:
        for idle in (60, environment.load_balancer.idle_timeout_seconds, timeouts.LONGEST_LOAD_BALANCER):
            balancer = environment.load_balancer.model_copy(update={"idle_timeout_seconds": idle})
            for ingress in INGRESS:
                sides = [*pairs(balancer, ingress, environment.values), *timeouts.OTHERS]
                assert [str(pair) for pair in sides if not pair.holds] == []
                assert len(sides) == 7, "a pair is gone"


NGINX = {"keep-alive": "1814", "upstream-keepalive-timeout": "61"}
TRAEFIK = {
    "ports": {"websecure": {"transport": {"respondingTimeouts": {"idleTimeout": "30m14s"}}}},
    "providers": {"kubernetesIngressNGINX": {"upstreamKeepaliveTimeout": 61}},
}


@pytest.mark.parametrize(
    ("ingress", "values", "broken"),
    [
        (
            "nginx",
            {"ingress-nginx": {"controller": {"config": {"keep-alive": NGINX["keep-alive"]}}}},
            "the load balancer (1800 s) before ingress-nginx (1814 s)",
        ),
        (
            "nginx",
            {"ingress-nginx": {"controller": {"config": {"upstream-keepalive-timeout": "61"}}}},
            "ingress-nginx towards its upstreams (61 s) before the application (75 s)",
        ),
        ("traefik", {"traefik": {"ports": TRAEFIK["ports"]}}, "the load balancer (1800 s) before Traefik (1814 s)"),
        (
            "traefik",
            {"traefik": {"providers": TRAEFIK["providers"]}},
            "Traefik towards its upstreams (61 s) before the application (75 s)",
        ),
        (
            "nginx",
            {"monitoring": {"grafana": {"grafana.ini": {"server": {"read_timeout": "1m14s"}}}}},
            "ingress-nginx towards its upstreams (60 s) before Grafana (74 s)",
        ),
        (
            "traefik",
            {"monitoring": {"grafana": {"grafana.ini": {"server": {"read_timeout": "29s"}}}}},
            "Traefik towards its upstreams (15 s) before Grafana (29 s)",
        ),
        (
            "nginx",
            {"database": {"parameters": {"idle_session_timeout": "300000"}}},
            "the application's connections to the database (300 s) before the database (300 s)",
        ),
    ],
)
def test_each_pair_can_be_broken_by_a_team_s_values(ingress: str, values: dict[str, Any], broken: str) -> None:
    """One value, one pair; one second or more to the good, and it holds."""
    balancer = LoadBalancer(access_logs=False)
    assert [str(pair) for pair in pairs(balancer, ingress, values) if not pair.holds] == [broken]


@pytest.mark.parametrize(
    "values",
    [
        {"database": {"parameters": {"idle_session_timeout": "0"}}},
        {"database": {"parameters": {"idle_session_timeout": "315s"}}},
        {"monitoring": {"grafana": {"grafana.ini": {"server": {"read_timeout": 0}}}}},
        {"ingress-nginx": {"controller": {"config": None}}},
    ],
)
def test_what_is_long_enough_or_never_holds(values: dict[str, Any]) -> None:
    assert [str(pair) for pair in pairs(LoadBalancer(access_logs=False), "nginx", values) if not pair.holds] == []


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("75", "s", 75), ("75", "ms", 0.075), ("1m30s", "s", 90), ("5min", "ms", 300), ("1 h", "s", 3600), ("1d", "s", 86400),
        ("soon", "s", None), ("", "s", None), ("5 apples", "s", None), ("-5", "s", None), ("5min soon", "s", None),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_its_program_reads_it(text: str, unit: str, expected: float | None) -> None:
    assert timeouts.seconds(text, unit) == expected


def test_what_cannot_be_read_is_not_taken_for_long_enough(files: Files) -> None:
    files.replace(
        "dev.yaml", "load_balancer:", "values: {database: {parameters: {idle_session_timeout: soon}}}\nload_balancer:"
    )
    text = "\n".join(map(str, files.problems()))
    for part in (
        "environments/dev.yaml:25  values.database.parameters.idle_session_timeout = soon",
        "must be a duration",
        "leave it out",
    ):
        assert part in text, text


@pytest.mark.parametrize(
    ("file", "pattern", "seconds"),
    [
        ("vet_app/gunicorn.conf.py", r"^keepalive = (\d+)", timeouts.APPLICATION),
        ("vet_app/vetclinic/databases.py", r'"CONN_MAX_AGE": (\d+)', timeouts.APPLICATION_TO_DATABASE),
    ],
)
def test_what_is_said_of_the_application_is_what_it_does(file: str, pattern: str, seconds: int) -> None:
    match = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert match, f"{file} has no {pattern}"
    assert int(match[1]) == seconds, f"{file} and settings/timeouts.py disagree"
