"""``make roll-agents ENV=prod``: agents with the newest launch template, one zone after the other.

EC2 Auto Scaling's instance refresh does it: it starts a new agent, lets it warm up, and only then terminates an old one, which a server
empties first (``modules/aws/agents.py``). An agent that has the newest template already is passed over, and a refresh that is under way
is waited for, so running it again resumes.
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.consent import agreed
from operations.shared.console import terminal, wait_until, waiting
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.servers import Cluster
from settings import load

PREFERENCES = {
    "MinHealthyPercentage": 100,
    "MaxHealthyPercentage": 110,  # at least one more: a new agent comes before an old one goes
    "InstanceWarmup": 420,  # a new agent is a Node after about five minutes
    "SkipMatching": True,
}
"""AWS API: RefreshPreferences."""

UNDER_WAY = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
POLL_SECONDS = 20
TIMEOUT_SECONDS = 4 * 3600

console = terminal()


@dataclass(frozen=True)
class Group:
    """The agents of one zone."""

    name: str
    agents: int
    outdated: int
    """Of them, those that were started from another version of the launch template than its newest."""


class AgentReplacement:
    """Refreshing the agents of one environment.

    :param cluster: the environment; its servers must answer, since they empty what goes.
    """

    def __init__(self, cluster: Cluster, *, auto_approve: bool = False) -> None:
        self.cluster, self.auto_approve = cluster, auto_approve
        self.client = cluster.client("autoscaling")

    def roll(self) -> None:
        """Refresh every group with an outdated agent.

        Raises:
            Failure: at the first problem: no server can empty agents, a refresh fails, or AWS does not answer. What was done stays done.
        """
        groups = self.groups()
        for group in groups:
            console.print(f"{group.name}: {group.outdated} of {group.agents} agent(s) to replace")
        waiting = [group for group in groups if group.outdated or self._latest(group)["Status"] in UNDER_WAY]
        if not waiting:
            console.print(f"all agents of {self.cluster.names.base} are as they should be")
            return
        if not self.auto_approve and not agreed(console, "Replace them, one after the other?"):
            raise Failure("stopped before replacing an agent; run the same command again to go on")
        for group in waiting:
            console.rule(group.name)
            self.refuse_unless_drained_by_somebody()
            self.refresh(group)
        console.print(f"[green]done[/]  {len(waiting)} group(s) refreshed")

    def groups(self) -> list[Group]:
        """The groups by name, from what AWS says of them."""
        prefix = self.cluster.names.resource("agent", "")
        try:
            pages = self.client.get_paginator("describe_auto_scaling_groups").paginate()
            descriptions = [each for page in pages for each in page["AutoScalingGroups"]]
            mine = [each for each in descriptions if each["AutoScalingGroupName"].startswith(prefix)]
            return [self._group(each) for each in sorted(mine, key=lambda each: str(each["AutoScalingGroupName"]))]
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"cannot list the agents of {self.cluster.names.base}: {error}") from error

    def refuse_unless_drained_by_somebody(self) -> None:
        """Raise ``Failure`` when no server answers: agents would wait for their time-out and then be cut off."""
        servers = [server for server in self.cluster.servers() if server.running]
        problems = []
        for server in servers:
            try:
                health = self.cluster.health(server)
            except Failure as failure:
                problems.append(failure.problem)
                continue
            if health.api_ready:
                return
            problems.append(f"server {server.slot}: the API is not ready")
        raise Failure("stopping, because no server can empty agents: " + ("; ".join(problems) or "none runs"))

    def refresh(self, group: Group) -> None:
        """Start a refresh, unless one is under way, and wait for its end."""
        try:
            going = self._latest(group)
            if going["Status"] not in UNDER_WAY:
                going = self.client.start_instance_refresh(AutoScalingGroupName=group.name, Preferences=PREFERENCES)
            latest = self._end(group, going["InstanceRefreshId"])
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"{group.name}: AWS does not refresh it: {error}") from error
        if latest["Status"] != "Successful":
            raise Failure(
                f"{group.name}: the refresh ended as {latest['Status']}: {latest.get('StatusReason', 'no reason given')}.\n"
                "Agents that were replaced stay so. docs/runbooks/adding-agents.md tells how to look; then run the command again."
            )

    def _end(self, group: Group, refresh: str) -> dict[str, Any]:
        with waiting(console, f"{group.name}: waiting") as show:

            def ended() -> dict[str, Any] | None:
                latest = self._described(group, InstanceRefreshIds=[refresh])
                show(f"{group.name}: {latest['Status']}, {latest.get('PercentageComplete', 0)} %")
                return None if latest["Status"] in UNDER_WAY else latest

            latest = wait_until(ended, seconds=TIMEOUT_SECONDS, poll=(POLL_SECONDS,))
        if latest is None:
            raise Failure(f"{group.name}: the refresh has not ended after {TIMEOUT_SECONDS // 3600} hours; it goes on")
        return latest

    def _latest(self, group: Group) -> dict[str, Any]:
        return self._described(group, MaxRecords=1)

    def _described(self, group: Group, **which: Any) -> dict[str, Any]:
        answer = self.client.describe_instance_refreshes(AutoScalingGroupName=group.name, **which)
        return dict(next(iter(answer["InstanceRefreshes"]), {"Status": "None"}))

    def _group(self, description: dict[str, Any]) -> Group:
        template = _template(description)["LaunchTemplateId"]
        (launch_template,) = self.cluster.client("ec2").describe_launch_templates(LaunchTemplateIds=[template])[
            "LaunchTemplates"
        ]
        newest = str(launch_template["LatestVersionNumber"])
        alive = [each for each in description["Instances"] if each["LifecycleState"] in ("Pending", "InService")]
        old = [each for each in alive if each.get("LaunchTemplate", {}).get("Version") != newest]
        return Group(description["AutoScalingGroupName"], len(alive), len(old))


def _template(group: dict[str, Any]) -> dict[str, Any]:
    """The template that a group names: a pool's stands in its mixed instances policy (AWS API: AutoScalingGroup)."""
    policy = group.get("MixedInstancesPolicy")
    return dict(policy["LaunchTemplate"]["LaunchTemplateSpecification"] if policy else group["LaunchTemplate"])


def roll(name: str, *, auto_approve: bool = False) -> None:
    """Roll the agents of an environment. Raises ``Failure`` at the first problem."""
    refuse_placeholders(load())
    AgentReplacement(Cluster(name), auto_approve=auto_approve).roll()
