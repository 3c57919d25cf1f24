"""What moto lacks of the AWS that this project uses. Each piece says what it stands for; nothing else is changed.

Replacing methods of moto's classes is what this module is for, and what mypy warns of; hence its exceptions.
"""

import json
import uuid
from collections import defaultdict
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.instances import Instance
from moto.ec2.responses.monitoring import Monitoring
from moto.s3.models import FakeBucket
from moto.ssm.responses import SimpleSystemManagerResponse


def install() -> None:
    """Add all pieces to moto; once, before its server starts."""
    _judge_bucket_policies_without_conditions()
    for operation in (create_association, describe_association, update_association, delete_association):
        setattr(SimpleSystemManagerResponse, operation.__name__, operation)
    _add_tags_of_associations()
    _release_interfaces_of_ended_instances()
    for switch in (monitor_instances, unmonitor_instances):
        setattr(Monitoring, switch.__name__, switch)


def _judge_bucket_policies_without_conditions() -> None:
    """Leave out statements with a condition.

    moto takes a statement whose condition it cannot judge for a denial, and so a policy that wants TLS for a denial of everything. The
    emulator speaks plain HTTP on the loopback address; the unit tests prove that the policies ask for TLS.
    """
    permission = FakeBucket.get_permission

    def get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
        policy, bucket.policy = bucket.policy, _unconditional(bucket.policy)
        try:
            return permission(bucket, action, resource)
        finally:
            bucket.policy = policy

    FakeBucket.get_permission = get_permission  # type: ignore[method-assign, assignment]


def _unconditional(policy: bytes | None) -> bytes | None:
    if not policy:
        return policy
    document = json.loads(policy)
    document["Statement"] = [statement for statement in document["Statement"] if "Condition" not in statement]
    return json.dumps(document).encode() if document["Statement"] else None


def _release_interfaces_of_ended_instances() -> None:
    """Detach what outlives a terminated instance, as EC2 does; moto would keep it attached for ever."""
    terminate = Instance.terminate

    def terminate_and_release(instance: Instance) -> Any:
        kept = [interface for interface in instance.nics.values() if not interface.delete_on_termination]
        ended = terminate(instance)
        for interface in kept:
            instance.detach_eni(interface)
            instance.nics[0] = interface  # moto goes on reading the ended instance's address from it
        return ended

    Instance.terminate = terminate_and_release  # type: ignore[method-assign, assignment]


class AssociationDoesNotExist(ServiceException):
    """SSM API reference, DescribeAssociation: errors."""

    code = "AssociationDoesNotExist"


_associations: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
"""SSM State Manager's associations by account and region, then by id."""


def _of(response: SimpleSystemManagerResponse) -> dict[str, dict[str, Any]]:
    return _associations[response.current_account, response.region]


def _wanted(response: SimpleSystemManagerResponse) -> dict[str, Any]:
    """The association that the request names.

    Raises:
        AssociationDoesNotExist: there is none of this id.
    """
    found = _of(response).get(response._get_param("AssociationId"))
    if found is None:
        raise AssociationDoesNotExist("The specified association does not exist.")
    return found


ASSOCIATION = ("Name", "AssociationName", "DocumentVersion", "Parameters", "Targets", "ScheduleExpression", "Tags")
"""Members of an association that a request sets (SSM API reference, CreateAssociation)."""


def create_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """An association whose command succeeds at once: no instance runs here. The node programs have tests of their own."""
    association = {name: value for name in ASSOCIATION if (value := self._get_param(name)) is not None}
    association |= {
        "AssociationId": str(uuid.uuid4()),
        "AssociationVersion": "1",
        "Overview": {"Status": "Success", "DetailedStatus": "Success"},
    }
    _of(self)[association["AssociationId"]] = association
    return ActionResult({"AssociationDescription": association})


def describe_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """The association by its id."""
    return ActionResult({"AssociationDescription": _wanted(self)})


def update_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """Replace what the request sets."""
    association = _wanted(self)
    association |= {name: value for name in ASSOCIATION if (value := self._get_param(name)) is not None}
    return ActionResult({"AssociationDescription": association})


def delete_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """Forget it."""
    del _of(self)[_wanted(self)["AssociationId"]]
    return EmptyResult()


def _add_tags_of_associations() -> None:
    """Let tags of associations be listed; moto answers for its own kinds of resources."""
    others = SimpleSystemManagerResponse.list_tags_for_resource

    def list_tags_for_resource(self: SimpleSystemManagerResponse) -> ActionResult:
        if self._get_param("ResourceType") != "Association":
            return others(self)
        association = _of(self).get(self._get_param("ResourceId"), {})
        return ActionResult({"TagList": association.get("Tags", [])})

    SimpleSystemManagerResponse.list_tags_for_resource = list_tags_for_resource  # type: ignore[method-assign]


def monitor_instances(self: Monitoring) -> ActionResult:
    """Detailed monitoring on."""
    return _set_monitoring(self, "enabled")


def unmonitor_instances(self: Monitoring) -> ActionResult:
    """Detailed monitoring off."""
    return _set_monitoring(self, "disabled")


def _set_monitoring(response: Monitoring, state: str) -> ActionResult:
    identifiers = response._get_param("InstanceIds", [])
    for identifier in identifiers:
        response.ec2_backend.get_instance(identifier).monitoring_state = state
    return ActionResult(
        {"InstanceMonitorings": [{"InstanceId": each, "Monitoring": {"State": state}} for each in identifiers]}
    )
