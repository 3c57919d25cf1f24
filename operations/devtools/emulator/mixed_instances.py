"""Mixed instances policies of auto-scaling groups: moto forgets a group's when an update does not name it again."""

from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup

from operations.devtools.emulator.replacing import replace


def install() -> None:
    """Keep the policy until an update brings another one, or a launch template in its place (Auto Scaling API: UpdateAutoScalingGroup)."""
    update = FakeAutoScalingGroup.update

    def keeping(self: FakeAutoScalingGroup, **named: Any) -> None:
        policy = self.mixed_instances_policy
        update(self, **named)
        if not named.get("launch_template") and not named.get("mixed_instances_policy"):
            vars(self)["mixed_instances_policy"] = policy

    replace(FakeAutoScalingGroup, "update", keeping)
