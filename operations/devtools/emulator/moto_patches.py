"""What moto lacks of the AWS that this project uses. Each piece says what it stands for; nothing else is changed."""

import json
from typing import Any

from moto.budgets.responses import BudgetsResponse
from moto.cloudwatch.models import CloudWatchBackend
from moto.core.responses import ActionResult
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.responses.monitoring import Monitoring
from moto.ec2.utils import generic_filter
from moto.s3.models import FakeBucket

from operations.devtools.emulator.replacing import replace

ROOT_DEVICE, IMAGE_GIB = "/dev/sda1", 8
"""The root disk of the emulated images (``images.json``)."""


def install() -> None:
    """Add all pieces to moto; once, before its server starts."""
    added = {
        InstanceResponse: (describe_instance_credit_specifications, modify_instance_credit_specification),
        Monitoring: (monitor_instances, unmonitor_instances),
        BudgetsResponse: (describe_subscribers_for_notification, list_tags_for_resource),
    }
    for responses, operations in added.items():
        for operation in operations:
            setattr(responses, operation.__name__, operation)
    _judge_bucket_policies_without_conditions()
    _launch_with_the_images_disk()
    _release_interfaces_of_ended_instances()
    _remember_credits_and_protection()
    _remember_descriptions_of_rules()
    _keep_tags_of_launch_templates_apart()
    _keep_tags_of_budgets()
    _find_nat_gateways_by_their_tags()
    _forget_tags_of_deleted_alarms()


def _forget_tags_of_deleted_alarms() -> None:
    """Delete an alarm's tags with it: moto gives them to the next alarm of its name."""
    delete = CloudWatchBackend.delete_alarms

    def delete_alarms(self: Any, alarm_names: list[str]) -> None:
        for alarm in self.get_alarms_by_alarm_names(alarm_names):
            self.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
        delete(self, alarm_names)

    replace(CloudWatchBackend, "delete_alarms", delete_alarms)


def _find_nat_gateways_by_their_tags() -> None:
    """Apply ``tag:NAME`` among the filters, which moto takes and forgets (Amazon EC2 API reference: DescribeNatGateways)."""
    describe = NatGatewayBackend.describe_nat_gateways

    def describe_nat_gateways(self: Any, filters: Any, nat_gateway_ids: list[str] | None) -> Any:
        tags = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
        return generic_filter(tags, describe(self, filters, nat_gateway_ids))

    replace(NatGatewayBackend, "describe_nat_gateways", describe_nat_gateways)


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
        interfaces = [interface for interface in instance.nics.values() if not interface.delete_on_termination]
        ended = terminate(instance)
        for interface in interfaces:
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
    instances = self.ec2_backend.describe_instance_credit_specifications(self._get_param("InstanceIds", []))
    return ActionResult(
        {
            "InstanceCreditSpecifications": [
                {"InstanceId": one.id, "CpuCredits": getattr(one, "cpu_credits", "standard")} for one in instances
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
    """Leave a launch template's own tags out of those that it gives to what it launches, and read them when they are asked for: moto
    keeps those of the moment when it was made."""
    create = LaunchTemplates.create_launch_template
    # Ignored: mypy knows a list of each object there. moto's constructor sets it, from what is in the account's tags already.
    LaunchTemplate.tags = property(LaunchTemplate.get_tags, lambda self, tags: None)  # type: ignore[assignment]

    def create_launch_template(self: LaunchTemplates) -> Any:
        answer: Any = create(self)
        template = self.ec2_backend.get_launch_template(answer.result["LaunchTemplate"]["LaunchTemplateId"])
        data = template.default_version().data
        data["TagSpecifications"] = [
            specification
            for specification in data.get("TagSpecifications", [])
            if specification["ResourceType"] != "launch-template"
        ]
        return answer

    replace(LaunchTemplates, "create_launch_template", create_launch_template)


def describe_subscribers_for_notification(self: BudgetsResponse) -> str:
    """Who gets one notification of a budget."""
    wanted = self._get_param("Notification")
    budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("BudgetName")]
    subscriber_lists = [each.subscribers for each in budget.notifications if wanted.items() <= each.details.items()]
    return json.dumps({"Subscribers": [subscriber for subscribers in subscriber_lists for subscriber in subscribers]})


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


def _launch_with_the_images_disk() -> None:
    """A launch that says nothing of the root disk's size takes the image's (Amazon EC2 API reference: EbsBlockDevice); moto refuses it."""
    check = InstanceResponse._validate_block_device_mapping

    def validate(mapping: dict[str, Any]) -> None:
        if mapping.get("DeviceName") == ROOT_DEVICE and "Ebs" in mapping and "SnapshotId" not in mapping["Ebs"]:
            mapping["Ebs"].setdefault("VolumeSize", IMAGE_GIB)
        check(mapping)

    replace(InstanceResponse, "_validate_block_device_mapping", staticmethod(validate))


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
