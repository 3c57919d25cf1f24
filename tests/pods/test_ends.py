"""Nodes are drained and primaries end, while somebody writes: how long writes are interrupted, and that none is lost."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from operations.shared.errors import Failure
from tests.pods.conftest import Platform, timed

WRITER = Path(__file__).with_name("writer.py")

POWER = "VET_TEST_POWER"
"""Command that takes a node's power and gives it back: ``stop NODE`` and ``start NODE`` are added to it."""


@dataclass
class Written:
    """What a writer saw."""

    longest: float = 0
    broken: int = 0
    acknowledged: list[int] = field(default_factory=list)

    def lost(self, platform: Platform) -> set[int]:
        """Rows that were acknowledged and are not there."""
        return set(self.acknowledged) - {int(each) for each in platform.sql("select n from writes").split()}


@contextmanager
def writing(platform: Platform, seconds: int, away_from: str) -> Iterator[Written]:
    """Somebody writes meanwhile, from a pod of the application on another node."""
    platform.sql(
        "drop table if exists writes", "create table writes (n int primary key)", "grant all on writes to vet_app"
    )
    pods = json.loads(platform.kubectl("get", "pods", "--selector=app=vet-app", "--output=json"))["items"]
    pod = next(each["metadata"]["name"] for each in pods if each["spec"]["nodeName"] != away_from)
    command = platform.kubectl.command("exec", "-i", pod, "--", "python", "-", str(seconds))
    record = Written()
    with (
        WRITER.open() as program,
        subprocess.Popen(command, stdin=program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        time.sleep(4)
        yield record
        out, errors = process.communicate()
    assert process.returncode == 0, f"the writer failed: {errors[-2000:]}"
    record.__dict__.update(json.loads(out))


def primary(platform: Platform) -> tuple[str, str]:
    """The primary's pod and node."""
    pod = platform.primary()
    return pod, platform.kubectl("get", "pod", pod, "--output", "jsonpath={.spec.nodeName}")


def drain(platform: Platform, _: str, node: str) -> None:
    """Empty a node as docs/runbooks/adding-agents.md says."""
    platform.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=240s")


def evict(platform: Platform, pod: str, _: str) -> None:
    """End the primary's pod, with its grace."""
    platform.kubectl("delete", "pod", pod, "--timeout=240s")


def power_cut(_: Platform, __: str, node: str) -> None:
    """Take a node's power."""
    subprocess.run([*os.environ[POWER].split(), "stop", node], check=True, capture_output=True)


@pytest.fixture(scope="module")
def three(platform: Platform) -> Iterator[None]:
    """Three instances, as in production, a node each."""
    nodes = json.loads(
        platform.kubectl("get", "nodes", "--selector=!node-role.kubernetes.io/control-plane", "--output=json")
    )
    if len(nodes["items"]) < 3:
        pytest.skip(
            f"three instances need three nodes for pods, and there are {len(nodes['items'])}: take a cluster like prod's"
        )
    before = platform.values().get("instances", 1)
    platform.apply({"instances": 3})
    time.sleep(5)
    platform.ready(600)
    yield
    platform.apply({"instances": before})


@pytest.fixture
def healed(platform: Platform) -> Iterator[None]:
    """Every node is back at the end, and the database whole."""
    yield
    for node in platform.kubernetes.run("get", "nodes", "--output", "jsonpath={.items[*].metadata.name}").split():
        platform.kubectl("uncordon", node)
    platform.ready(600)


@pytest.mark.long
@pytest.mark.parametrize("end", [drain, evict])
def test_a_graceful_end_of_the_primary_loses_no_acknowledged_write(
    platform: Platform,
    three: None,
    healed: None,
    end: Callable[[Platform, str, str], None],
    seconds: dict[str, float],
) -> None:
    pod, node = primary(platform)
    with writing(platform, 90, node) as written, timed(seconds, end.__name__):
        end(platform, pod, node)
    seconds["writes interrupted"] = written.longest
    assert not (lost := written.lost(platform)), (
        f"{len(lost)} of {len(written.acknowledged)} acknowledged writes are lost"
    )
    assert primary(platform)[0] != pod or end is evict, "nobody took over"
    assert written.acknowledged, "nothing was written, so nothing was seen"


@pytest.mark.long
def test_a_power_cut_of_the_primary_loses_no_acknowledged_write(
    platform: Platform, three: None, healed: None, seconds: dict[str, float]
) -> None:
    if POWER not in os.environ:
        pytest.skip(f"set {POWER} to a command to which `stop NODE` and `start NODE` can be added")
    pod, node = primary(platform)
    try:
        with writing(platform, 180, node) as written:
            power_cut(platform, pod, node)
    finally:
        subprocess.run([*os.environ[POWER].split(), "start", node], check=True, capture_output=True)
    seconds["writes interrupted"] = written.longest
    assert not (lost := written.lost(platform)), (
        f"{len(lost)} of {len(written.acknowledged)} acknowledged writes are lost"
    )


def test_the_node_of_a_single_instance_can_be_drained(
    platform: Platform, healed: None, seconds: dict[str, float]
) -> None:
    if platform.values().get("instances", 1) != 1:
        pytest.skip("the database has several instances: the tests with three drain them")
    pod, node = primary(platform)
    with timed(seconds, "drained"):
        drain(platform, pod, node)
    with timed(seconds, "database back after uncordon"):
        platform.kubectl("uncordon", node)
        with suppress(Failure):
            platform.kubectl("wait", "pod", pod, "--for=condition=Ready", "--timeout=300s")
        platform.ready(300)
    assert platform.sql("select 1") == "1"
