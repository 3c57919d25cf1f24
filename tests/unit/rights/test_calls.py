"""What a call to the emulator is asked for, against what the service authorization reference says of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from operations.devtools.emulator.rights.calls import Call
from operations.devtools.emulator.rights.conditions import Unreadable
from operations.devtools.emulator.rights.needs import needs

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/vet-dev-interruptions"


def asked(service: str, operation: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    rights = needs(Call("KEY", service, operation, "us-east-1", parameters))
    return [(each.action, each.resource) for each in rights]


@pytest.mark.parametrize("operation", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "TagQueue"])
def test_a_queue_is_named_by_its_address(operation: str) -> None:
    """Amazon SQS: every operation on a queue but its making takes QueueUrl; policies name arn:aws:sqs:REGION:ACCOUNT:NAME."""
    arn = "arn:aws:sqs:us-east-1:123456789012:vet-dev-interruptions"
    assert asked("sqs", operation, {"QueueUrl": QUEUE}) == [(f"sqs:{operation}", arn)]
    assert asked("sqs", operation, {"QueueUrl": f"http://127.0.0.1:5000/123456789012/{arn.rpartition(':')[2]}"}) == [
        (f"sqs:{operation}", arn)
    ]


def test_a_queue_that_is_made_or_looked_for_is_named_by_its_name() -> None:
    for operation in ("CreateQueue", "GetQueueUrl"):
        arn = "arn:aws:sqs:us-east-1:123456789012:vet-dev-interruptions"
        assert asked("sqs", operation, {"QueueName": "vet-dev-interruptions"}) == [(f"sqs:{operation}", arn)]
    assert asked("sqs", "ListQueues", {}) == [("sqs:ListQueues", "*")]


def test_a_log_is_written_to_a_stream() -> None:
    """CloudWatch Logs: PutLogEvents is asked of the stream, everything else of the group."""
    named = {"logGroupName": "/vet-dev/audit", "logStreamName": "i-1"}
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/vet-dev/audit"
    assert asked("logs", "PutLogEvents", named) == [("logs:PutLogEvents", f"{group}:log-stream:i-1")]
    assert asked("logs", "CreateLogStream", named) == [("logs:CreateLogStream", group)]


def test_a_call_that_names_nothing_is_not_known() -> None:
    with pytest.raises(Unreadable, match="sqs:ReceiveMessage"):
        asked("sqs", "ReceiveMessage", {})
