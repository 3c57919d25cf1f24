"""Hours in which an environment runs: the servers are stopped and started, the agents are terminated and replaced by new ones."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from cdktf_cdktf_provider_aws.autoscaling_schedule import AutoscalingSchedule
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.scheduler_schedule import SchedulerSchedule
from constructs import Construct

from modules.aws.agents import SizedGroup
from modules.aws.policy import Statement, trust
from modules.aws.role import role_with_policy
from modules.aws.servers import Servers
from settings.environment import Environment
from settings.names import Names
from settings.schedule import SERVER_STOP_DELAY

UNIX_DAYS = {"MON-FRI": "1-5", "MON-SAT": "1-6", "MON-SUN": "*"}
"""Days of the week in Auto Scaling's cron expressions (0 is Sunday)."""


class Schedule(Construct):
    """Starts and stops the nodes by the clock.

    Servers keep instance, address and disks while they are stopped, and at power-on they decide as at any other boot: they
    have data, so they start. Agents have nothing to keep: their groups go to zero and back to what the settings say.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        environment: Environment,
        servers: Servers,
        agents: Sequence[SizedGroup],
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._environment, self._settings = names, environment, environment.schedule
        self._instances = [server.instance.id for server in servers.servers]
        self._role = self._scheduler_role()
        settings = environment.schedule
        self._servers("start", settings.start)
        self._servers("stop", _later(settings.stop, SERVER_STOP_DELAY))
        for sized in agents:
            self._agents("stop", sized, settings.stop, 0, 0)
            self._agents("start", sized, settings.start, sized.minimum, sized.maximum)

    def _servers(self, action: str, at: str) -> None:
        """Call EC2 directly (EventBridge Scheduler: universal targets)."""
        hour, minute = at.split(":")
        days = "*" if self._settings.days == "MON-SUN" else self._settings.days
        SchedulerSchedule(
            self,
            f"{action}_servers",
            name=self._names.resource(f"{action}-servers"),
            description=f"{action.title()} the servers of {self._names.base}",
            schedule_expression=f"cron({int(minute)} {int(hour)} ? * {days} *)",
            schedule_expression_timezone=self._settings.time_zone,
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": f"arn:aws:scheduler:::aws-sdk:ec2:{action}Instances",
                "role_arn": self._role.arn,
                "input": json.dumps({"InstanceIds": self._instances}),
                "retry_policy": {"maximum_retry_attempts": 5, "maximum_event_age_in_seconds": 3600},
            },
        )

    def _agents(self, action: str, sized: SizedGroup, at: str, minimum: int, maximum: int) -> None:
        hour, minute = at.split(":")
        AutoscalingSchedule(
            self,
            f"{action}_agents_{sized.key}",
            scheduled_action_name=self._names.resource(f"{action}-agents", sized.key),
            autoscaling_group_name=sized.group.name,
            recurrence=f"{int(minute)} {int(hour)} * * {UNIX_DAYS[self._settings.days]}",
            time_zone=self._settings.time_zone,
            min_size=minimum,
            max_size=maximum,
            desired_capacity=minimum,
        )

    def _scheduler_role(self) -> IamRole:
        names, region = self._names, self._environment.region
        account = names.project.account_id
        own = {"aws:ResourceTag/vet:cluster": names.base, "aws:ResourceTag/vet:role": "server"}
        rights = Statement(
            "StartAndStop",
            ["ec2:StartInstances", "ec2:StopInstances"],
            [f"arn:aws:ec2:{region}:{account}:instance/*"],
            conditions={"StringEquals": own},
        )
        return role_with_policy(
            self,
            "role",
            name=names.role("schedule"),
            description=f"Starts and stops the servers of {names.base}",
            trust=trust(
                "scheduler.amazonaws.com",
                account_id=account,
                sources=[names.arn("scheduler", "schedule-group/default")],
            ),
            policy_name="start-and-stop",
            statements=[rights],
        )


def _later(time: str, by: timedelta) -> str:
    return (datetime.strptime(time, "%H:%M") + by).strftime("%H:%M")
