"""What EC2 says of machines that it takes back, in a queue for the interruption handler."""

import json
from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from cdktf_cdktf_provider_aws.sqs_queue_policy import SqsQueuePolicy
from constructs import Construct

from modules.aws.policy import ANYONE, Statement, policy
from settings.names import Names

EVENTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "interruption": (
        "AWS takes a Spot instance back in two minutes",
        {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
    ),
    "scheduled-change": (
        "AWS is going to maintain or retire a machine",
        {
            "source": ["aws.health"],
            "detail-type": ["AWS Health Event"],
            "detail": {"service": ["EC2"], "eventTypeCategory": ["scheduledChange"]},
        },
    ),
    "state-change": (
        "Somebody stops or terminates a machine",
        {
            "source": ["aws.ec2"],
            "detail-type": ["EC2 Instance State-change Notification"],
            "detail": {"state": ["stopping", "shutting-down"]},
        },
    ),
}
"""Patterns of events (aws-node-termination-handler: infrastructure setup; EventBridge: events from AWS services). Not among them: rebalance
recommendations, which the group answers by starting another machine first, and lifecycle actions, which the servers answer."""

KEPT_SECONDS = 300
"""An older warning is about a machine that is gone."""


class Interruptions(Construct):
    """The queue, and the rules that fill it. EventBridge knows no machines by their tags: all of the account's and region's come, and the
    handler drops those that lack the environment's tag."""

    def __init__(self, scope: Construct, id_: str, *, names: Names) -> None:
        super().__init__(scope, id_)
        self.queue = SqsQueue(
            self,
            "Resource",
            name=names.resource("interruptions"),
            message_retention_seconds=KEPT_SECONDS,
            sqs_managed_sse_enabled=True,
            tags={"Name": names.resource("interruptions")},
        )
        rules = names.arn("events", f"rule/{names.base}-*")
        events = Statement(
            "Events",
            ["sqs:SendMessage"],
            [self.queue.arn],
            principals={"Service": "events.amazonaws.com"},
            conditions={"ArnLike": {"aws:SourceArn": rules}},
        )
        encrypted = Statement(
            "TlsOnly",
            ["sqs:*"],
            [self.queue.arn],
            principals=ANYONE,
            conditions={"Bool": {"aws:SecureTransport": "false"}},
            effect="Deny",
        )
        allowed = SqsQueuePolicy(self, "policy", queue_url=self.queue.id, policy=policy(events, encrypted))
        for name, (says, pattern) in EVENTS.items():
            part = Construct(self, name.replace("-", "_"))
            rule = CloudwatchEventRule(
                part,
                "Resource",
                name=names.resource(name),
                description=says,
                event_pattern=json.dumps(pattern),
            )
            CloudwatchEventTarget(
                part, "target", rule=rule.name, target_id="queue", arn=self.queue.arn, depends_on=[allowed]
            )
