"""The application is changed, moved and given wrong things while visitors use it."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from operations.shared.errors import Failure
from tests.pods.conftest import NAMESPACE, Platform, timed
from tests.pods.probe import Source, probe
from tests.pods.visits import Visits, visiting

DEPLOYMENT = "deployment/vet-app"
PODS = ("pods", "--selector=app=vet-app,app.kubernetes.io/component=web")


@pytest.fixture(scope="module")
def visitor(platform: Platform) -> Iterator[Source]:
    """A pod elsewhere, from which visitors ask."""
    with probe(platform, "visitors", "default") as pod:
        yield pod


@pytest.fixture
def restored(platform: Platform) -> Iterator[None]:
    """The application is at the end what it was before."""
    before = json.loads(platform.kubectl("get", DEPLOYMENT, "--output=json"))["spec"]
    yield
    for node in platform.kubernetes.run("get", "nodes", "--output", "jsonpath={.items[*].metadata.name}").split():
        platform.kubectl("uncordon", node)
    given = json.dumps([{"op": "replace", "path": "/spec", "value": before}])
    platform.kubectl("patch", DEPLOYMENT, "--type=json", "--patch", given)
    settled(platform)


def settled(platform: Platform) -> None:
    """Wait until all pods are of the newest revision and ready."""
    platform.kubectl("rollout", "status", DEPLOYMENT, "--timeout=5m")


def pods(platform: Platform) -> list[dict[str, Any]]:
    """The application's web pods."""
    items: list[dict[str, Any]] = json.loads(platform.kubectl("get", *PODS, "--output=json"))["items"]
    return items


def rolling_update(platform: Platform) -> None:
    """Replace every pod."""
    platform.kubectl("rollout", "restart", DEPLOYMENT)
    settled(platform)


def drain(platform: Platform) -> None:
    """Empty the node of one of its pods, as docs/runbooks/adding-agents.md says."""
    where = ("get", "pod", "probe-visitors", "-n", "default", "--output", "jsonpath={.spec.nodeName}")
    visitors = platform.kubernetes.run(*where)  # a drain refuses a pod that nothing would make again
    node = next(pod["spec"]["nodeName"] for pod in pods(platform) if pod["spec"]["nodeName"] != visitors)
    platform.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=300s")
    platform.kubectl("uncordon", node)
    settled(platform)


def fewer(platform: Platform) -> None:
    """One pod more, and then one less."""
    platform.kubectl("scale", DEPLOYMENT, "--replicas=3")
    settled(platform)
    platform.kubectl("scale", DEPLOYMENT, "--replicas=2")
    settled(platform)


def eviction(platform: Platform) -> None:
    """One pod goes by the API that a drain and the autoscaler use."""
    pod = pods(platform)[0]["metadata"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["name"], "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['name']}/eviction"
    platform.kubectl("create", "--raw", path, "--filename", "-", stdin=json.dumps(body))
    platform.kubectl("wait", "--for=delete", f"pod/{pod['name']}", "--timeout=120s")
    settled(platform)


def refuse_failures(visits: Visits) -> None:
    """Every request was answered."""
    assert visits.asked > 100, f"only {visits.asked} requests: nothing was seen"
    assert not visits.failed, f"{len(visits.failed)} of {visits.asked} requests failed: {visits.failed[:10]}"


@pytest.mark.parametrize(
    "change", [rolling_update, *(pytest.param(each, marks=pytest.mark.long) for each in (drain, fewer, eviction))]
)
def test_no_request_is_lost(
    platform: Platform,
    visitor: Source,
    restored: None,
    change: Callable[[Platform], None],
    seconds: dict[str, float],
) -> None:
    with visiting(platform, visitor, 90) as visits, timed(seconds, change.__name__):
        change(platform)
    seconds["requests a second"], seconds["longest answer"] = visits.asked / 90, visits.longest
    refuse_failures(visits)


@contextmanager
def stuck(platform: Platform) -> Iterator[None]:
    """A change that never gets ready, seen for half a minute."""
    before = {pod["metadata"]["name"] for pod in pods(platform)}
    yield
    with suppress(Failure):
        platform.kubectl("rollout", "status", DEPLOYMENT, "--timeout=30s")
    statuses = {pod["metadata"]["name"]: pod["status"] for pod in pods(platform)}
    assert before <= set(statuses), f"pods that served were taken away: {before - set(statuses)}"
    new = [status for name, status in statuses.items() if name not in before]
    assert new, "no new pod was made: nothing was seen"
    assert not any(each.get("ready") for status in new for each in status.get("containerStatuses", [])), (
        "a pod with the wrong change takes requests"
    )


def wrong_image(platform: Platform) -> None:
    """An image that nobody built."""
    platform.kubectl("set", "image", DEPLOYMENT, "vet-app=registry.invalid/vet-app:never-built")


def wrong_setting(platform: Platform) -> None:
    """A database that is not there."""
    platform.kubectl("set", "env", DEPLOYMENT, "PGHOST=nowhere")


@pytest.mark.parametrize("mistake", [wrong_image, wrong_setting])
def test_a_wrong_change_takes_nobody_s_place(
    platform: Platform, visitor: Source, restored: None, mistake: Callable[[Platform], None], seconds: dict[str, float]
) -> None:
    with visiting(platform, visitor, 60) as visits:
        with stuck(platform):
            mistake(platform)
        with timed(seconds, "taken back"):
            platform.kubectl("rollout", "undo", DEPLOYMENT)
            settled(platform)
    refuse_failures(visits)


def manage(platform: Platform, code: str) -> str:
    """What a piece of the application's own code prints."""
    return platform.kubectl("exec", DEPLOYMENT, "--", "python", "manage.py", "shell", "--command", code).strip()


def test_the_migration_ended_well(platform: Platform) -> None:
    jobs = json.loads(platform.kubectl("get", "jobs", "--selector=app.kubernetes.io/component", "--output=json"))[
        "items"
    ]
    migrations = [job for job in jobs if "migrat" in job["metadata"]["name"]]
    assert migrations, f"no migration among {[job['metadata']['name'] for job in jobs]}"
    assert all(job["status"].get("succeeded") for job in migrations), [job["status"] for job in migrations]
    plan = platform.kubectl("exec", DEPLOYMENT, "--", "python", "manage.py", "migrate", "--plan")
    assert "No planned migration" in plan, plan


def test_what_the_former_key_signed_is_read_until_that_key_goes(platform: Platform, restored: None) -> None:
    """docs/runbooks/rotating-the-application-key.md, as the pods see it."""
    before = json.loads(platform.kubectl("get", "secret/vet-app-secret", "--output=json"))["data"]
    signed = manage(platform, "from django.core import signing; print(signing.dumps('session'))").splitlines()[-1]
    read = (
        "from django.core import signing\n"
        f"try: print(signing.loads({signed!r}))\nexcept signing.BadSignature: print('refused')"
    )
    former = before["SECRET_KEY"]
    try:
        key = base64.b64encode(secrets.token_urlsafe(64).encode()).decode()
        _rotate(platform, {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": former})
        assert manage(platform, read).endswith("session"), "people are logged out by a rotation"
        _rotate(platform, {"SECRET_KEY_FALLBACKS": ""})
        assert manage(platform, read).endswith("refused"), "the former key still signs in"
    finally:
        _rotate(platform, before)


def _rotate(platform: Platform, data: dict[str, str]) -> None:
    platform.kubectl("patch", "secret/vet-app-secret", "--patch", json.dumps({"data": data}))
    platform.kubectl("rollout", "restart", DEPLOYMENT)
    settled(platform)
