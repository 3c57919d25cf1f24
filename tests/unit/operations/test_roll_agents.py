"""Agents are replaced zone by zone, only where they are outdated, and only while somebody can empty them."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from operations.cluster import roll_agents
from operations.cluster.roll_agents import AgentReplacement
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Cluster, Server

WELL = Health(True, True, 1, 1, 1, True, True, "")


@dataclass
class Fake(Cluster):
    """A cluster with two groups of agents, played."""

    versions: dict[str, list[str]] = field(default_factory=lambda: {"a": ["1", "2"], "b": ["2"]})
    health_of_server: Health = WELL
    statuses: dict[str, list[str]] = field(default_factory=dict)
    ends_as: str = "Successful"
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__("dev")

    def client(self, service: str) -> Any:
        """Auto Scaling and EC2."""
        return self

    def servers(self) -> list[Server]:
        """One."""
        return [Server(0, "i-0", "t3.medium", "ami-1", running=True)]

    def health(self, server: Server) -> Health:
        """As chosen."""
        return self.health_of_server

    def get_paginator(self, _: str) -> "Fake":
        """Itself: it has one page."""
        return self

    def paginate(self) -> list[dict[str, Any]]:
        """The groups of this cluster, and one of another."""
        groups = [(f"vet-dev-agent-{zone}", versions) for zone, versions in self.versions.items()]
        return [{"AutoScalingGroups": [_group(*each) for each in [*groups, ("vet-prod-agent-a", ["1"])]]}]

    def describe_launch_templates(self, LaunchTemplateIds: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's own names
        """One, in its second version."""
        return {"LaunchTemplates": [{"LatestVersionNumber": 2}]}

    def describe_instance_refreshes(self, AutoScalingGroupName: str, **which: Any) -> dict[str, Any]:  # noqa: N803
        """The latest of the group, or the next status of the one that is asked for."""
        left = self.statuses.get(AutoScalingGroupName[-1], [])
        status = left.pop(0) if "InstanceRefreshIds" in which and len(left) > 1 else next(iter(left), None)
        return {"InstanceRefreshes": [{"InstanceRefreshId": "r", "Status": status}] if status else []}

    def start_instance_refresh(self, AutoScalingGroupName: str, Preferences: dict[str, Any]) -> dict[str, str]:  # noqa: N803
        """Recorded."""
        assert Preferences["MinHealthyPercentage"] == 100, "an old agent goes before a new one has come"
        assert Preferences["SkipMatching"] is True
        self.started.append(AutoScalingGroupName)
        self.statuses[AutoScalingGroupName[-1]] = ["Pending", "InProgress", self.ends_as]
        return {"InstanceRefreshId": "r"}


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    instances = [{"LifecycleState": "InService", "LaunchTemplate": {"Version": version}} for version in versions]
    return {"AutoScalingGroupName": name, "LaunchTemplate": {"LaunchTemplateId": "lt-1"}, "Instances": instances}


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Agents of which one is outdated."""
    monkeypatch.setattr(roll_agents, "POLL_SECONDS", 0)
    return Fake()


def test_only_groups_with_an_outdated_agent_are_refreshed(dev: Fake) -> None:
    AgentReplacement(dev, auto_approve=True).roll()
    assert dev.started == ["vet-dev-agent-a"]


def test_a_pools_group_is_refreshed_as_well(dev: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its template stands in the policy by which it buys (AWS API: MixedInstancesPolicy)."""
    pages, pool = dev.paginate(), _group("vet-dev-agent-reports-b", ["1"])
    pool["MixedInstancesPolicy"] = {"LaunchTemplate": {"LaunchTemplateSpecification": pool.pop("LaunchTemplate")}}
    pages[0]["AutoScalingGroups"].append(pool)
    monkeypatch.setattr(dev, "paginate", lambda: pages)
    AgentReplacement(dev, auto_approve=True).roll()
    assert dev.started == ["vet-dev-agent-a", "vet-dev-agent-reports-b"]


def test_agents_that_are_as_they_should_be_stay(dev: Fake) -> None:
    dev.versions = {"a": ["2"], "b": ["2"]}
    AgentReplacement(dev, auto_approve=True).roll()
    assert dev.started == []


def test_a_refresh_that_is_under_way_is_waited_for_and_not_started_again(dev: Fake) -> None:
    dev.statuses = {"a": ["InProgress", "InProgress", "Successful"]}
    AgentReplacement(dev, auto_approve=True).roll()
    assert dev.started == []


def test_it_stops_when_nobody_could_empty_an_agent(dev: Fake) -> None:
    dev.health_of_server = replace(WELL, api_ready=False)
    with pytest.raises(Failure, match="no server can empty agents: server 0: the API is not ready"):
        AgentReplacement(dev, auto_approve=True).roll()
    assert dev.started == []


def test_a_refresh_that_fails_is_said_and_the_next_group_is_left_alone(dev: Fake) -> None:
    dev.versions = {"a": ["1"], "b": ["1"]}
    dev.ends_as = "Failed"
    with pytest.raises(Failure, match="the refresh ended as Failed"):
        AgentReplacement(dev, auto_approve=True).roll()
    assert dev.started == ["vet-dev-agent-a"]
