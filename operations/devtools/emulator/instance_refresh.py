"""Instance refreshes of auto-scaling groups, and launch templates with more than one version: what moto lacks of both.

A refresh is over at once; it leaves alone what has the newest version, as ``SkipMatching`` says (Auto Scaling API: StartInstanceRefresh).
"""

import uuid
from collections import defaultdict
from typing import Any

from moto.autoscaling.models import InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.utils import parse_user_data

from operations.devtools.emulator.replacing import replace

_ended: dict[str, list[dict[str, Any]]] = defaultdict(list)
"""Refreshes by the group's name, the newest first."""


def install() -> None:
    """Add the two operations, and let instances keep their version; moto says of all that they have the template's newest, and starts
    none from a later version with user data."""
    for operation in (start_instance_refresh, describe_instance_refreshes):
        setattr(AutoScalingResponse, operation.__name__, operation)
    initialize = InstanceState.__init__

    def remember(self: InstanceState, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        template = self.auto_scaling_group.ec2_launch_template
        if template is not None and not hasattr(self.instance, "template_version"):
            vars(self.instance)["template_version"] = template.default_version_number

    def launch_template(self: InstanceState) -> dict[str, str] | None:
        template = self.auto_scaling_group.ec2_launch_template
        version = getattr(self.instance, "template_version", None)
        if template is None or version is None:
            return None
        return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": str(version)}

    replace(LaunchTemplateVersion, "user_data", property(lambda version: parse_user_data(_text(version.data))))
    replace(InstanceState, "__init__", remember)
    replace(InstanceState, "launch_template", property(launch_template))


def _text(data: dict[str, Any]) -> str | None:
    """The user data of a launch template in base64; moto keeps that of a first version in a class of its own, and of a later one as it came."""
    user_data = data.get("UserData")
    return str(user_data) if user_data is not None else None


def start_instance_refresh(self: AutoScalingResponse) -> ActionResult:
    """Replace the instances of a group that have another version than the newest."""
    name = self._get_param("AutoScalingGroupName")
    groups = self.autoscaling_backend.describe_auto_scaling_groups([name])
    if not groups:
        raise ServiceException("AutoScalingGroup name not found - null")
    (group,) = groups
    template = group.ec2_launch_template
    newest = template.default_version_number if template else None
    instances = [each.instance for each in group.instance_states]
    for instance in [each for each in instances if getattr(each, "template_version", None) != newest]:
        self.autoscaling_backend.terminate_instance(instance.id, should_decrement=False)
    refresh = {"InstanceRefreshId": str(uuid.uuid4()), "AutoScalingGroupName": name, "Status": "Successful"}
    _ended[name].insert(0, refresh | {"PercentageComplete": 100, "InstancesToUpdate": 0})
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def describe_instance_refreshes(self: AutoScalingResponse) -> ActionResult:
    """Those of a group, the newest first."""
    wanted = self._get_param("InstanceRefreshIds", [])
    refreshes = [
        each
        for each in _ended[self._get_param("AutoScalingGroupName")]
        if not wanted or each["InstanceRefreshId"] in wanted
    ]
    return ActionResult({"InstanceRefreshes": refreshes[: self._get_int_param("MaxRecords", 50)]})
