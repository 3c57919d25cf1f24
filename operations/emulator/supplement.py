"""What moto lacks of the AWS that this project uses. Each piece says what it stands for; nothing else is changed."""

import json
import uuid
from collections import defaultdict
from typing import Any

from moto.budgets.responses import BudgetsResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.responses.monitoring import Monitoring
from moto.s3.models import FakeBucket
from moto.ssm.models import Command
from moto.ssm.responses import SimpleSystemManagerResponse

from operations.emulator.replacing import replace


def install() -> None:
    """Add all pieces to moto; once, before its server starts."""
    added = {
        SimpleSystemManagerResponse: (create_association, describe_association, update_association, delete_association),
        InstanceResponse: (describe_instance_credit_specifications, modify_instance_credit_specification),
        Monitoring: (monitor_instances, unmonitor_instances),
        BudgetsResponse: (describe_subscribers_for_notification, list_tags_for_resource),
    }
    for responses, operations in added.items():
        for operation in operations:
            setattr(responses, operation.__name__, operation)
    _judge_bucket_policies_without_conditions()
    _add_tags_of_associations()
    _release_interfaces_of_ended_instances()
    _remember_credits_and_protection()
    _remember_descriptions_of_rules()
    _keep_tags_of_launch_templates_apart()
    _answer_for_servers()
    _keep_tags_of_budgets()


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

    replace(FakeBucket, "get_permission", get_permission)


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

    replace(Instance, "terminate", terminate_and_release)


def _remember_credits_and_protection() -> None:
    """Keep an instance's CPU credits and termination protection; moto takes both and forgets them.

    Terraform's provider waits ten minutes for credits that it has changed, so that an apply to a deployed environment would never end.
    """
    run = InstanceResponse.run_instances

    def run_instances(self: InstanceResponse) -> Any:
        answer: Any = run(self)
        for instance in answer.result.instances:
            instance.cpu_credits = self._get_param("CreditSpecification.CpuCredits", "standard")
            instance.disable_api_termination = bool(self._get_param("DisableApiTermination"))
        return answer

    replace(InstanceResponse, "run_instances", run_instances)


def describe_instance_credit_specifications(self: InstanceResponse) -> ActionResult:
    """What the instances were started with, or were given since."""
    found = self.ec2_backend.describe_instance_credit_specifications(self._get_param("InstanceIds", []))
    return ActionResult(
        {
            "InstanceCreditSpecifications": [
                {"InstanceId": one.id, "CpuCredits": getattr(one, "cpu_credits", "standard")} for one in found
            ]
        }
    )


def modify_instance_credit_specification(self: InstanceResponse) -> ActionResult:
    """Give instances other credits."""
    wanted = self._get_param("InstanceCreditSpecifications", [])
    for each in wanted:
        self.ec2_backend.get_instance(each["InstanceId"]).cpu_credits = each["CpuCredits"]
    done = [{"InstanceId": each["InstanceId"]} for each in wanted]
    return ActionResult({"SuccessfulInstanceCreditSpecifications": done})


def _remember_descriptions_of_rules() -> None:
    """Show the description of a rule that names another group; moto shows those of address ranges only."""
    shown = property(lambda rule: rule.ip_range.get("Description") or rule.source_group.get("Description"))
    replace(SecurityGroupRule, "description", shown)


def _keep_tags_of_launch_templates_apart() -> None:
    """Leave a launch template's own tags out of those that it gives to what it launches."""
    create = LaunchTemplates.create_launch_template

    def create_launch_template(self: LaunchTemplates) -> Any:
        answer: Any = create(self)
        template = self.ec2_backend.get_launch_template(answer.result["LaunchTemplate"]["LaunchTemplateId"])
        data = template.default_version().data
        data["TagSpecifications"] = [
            given for given in data.get("TagSpecifications", []) if given["ResourceType"] != "launch-template"
        ]
        return answer

    replace(LaunchTemplates, "create_launch_template", create_launch_template)


def describe_subscribers_for_notification(self: BudgetsResponse) -> str:
    """Who is told of one notification of a budget."""
    wanted = self._get_param("Notification")
    budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("BudgetName")]
    told = [each.subscribers for each in budget.notifications if wanted.items() <= each.details.items()]
    return json.dumps({"Subscribers": [subscriber for subscribers in told for subscriber in subscribers]})


def list_tags_for_resource(self: BudgetsResponse) -> str:
    """Tags of a budget."""
    name = self._get_param("ResourceARN").partition(":budget/")[2]
    return json.dumps({"ResourceTags": _tags_of_budgets.get(name, [])})


def _keep_tags_of_budgets() -> None:
    """Note the tags with which a budget is made; moto takes and forgets them."""
    create = BudgetsResponse.create_budget

    def create_budget(self: BudgetsResponse) -> str:
        _tags_of_budgets[self._get_param("Budget")["BudgetName"]] = self._get_param("ResourceTags", [])
        return create(self)

    replace(BudgetsResponse, "create_budget", create_budget)


_tags_of_budgets: dict[str, list[dict[str, str]]] = {}


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

    replace(SimpleSystemManagerResponse, "list_tags_for_resource", list_tags_for_resource)


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


HEALTH = "/opt/vet/bin/health"
"""The node program that operations ask first."""


def _answer_for_servers() -> None:
    """Let servers say that their cluster is whole, and every other program succeed: no machine runs here.

    moto would send a command without targets, which names its instances, to all that there are.
    """
    respond, targeted = Command.invocation_response, Command._get_instance_ids_from_targets

    def invocation_response(command: Command, instance_id: str, plugin_name: str) -> dict[str, Any]:
        answer: dict[str, Any] = respond(command, instance_id, plugin_name)
        if HEALTH in " ".join(command.parameters.get("commands", [])):
            answer["StandardOutputContent"] = _whole(_servers_beside(command, instance_id))
        return answer

    def instances(command: Command) -> list[str]:
        return targeted(command) if command.targets else []

    replace(Command, "invocation_response", invocation_response)
    replace(Command, "_get_instance_ids_from_targets", instances)


def _servers_beside(command: Command, instance_id: str) -> int:
    """How many servers of an instance's cluster run."""
    ec2 = ec2_backends[command.account_id][command.backend_region]
    (cluster,) = [tag["value"] for tag in ec2.get_instance(instance_id).get_tags() if tag["key"] == "vet:cluster"]
    wanted = {"tag:vet:cluster": [cluster], "tag:vet:role": ["server"], "instance-state-name": ["running"]}
    return sum(len(found.instances) for found in ec2.all_reservations(filters=wanted))


def _whole(servers: int) -> str:
    said = {"rke2": "active", "boot": "active", "data": "present", "api": "ready", "etcd": "healthy"}
    said |= dict.fromkeys(("members", "voting", "servers_ready"), str(servers))
    said |= {"leader": "yes", "alarms": "", "cordoned": "false", "restore": ""}
    said |= {"database_bytes": str(64 << 20), "database_bytes_in_use": str(32 << 20), "data_written": "1764000000"}
    return "".join(f"{name}={value}\n" for name, value in said.items())
