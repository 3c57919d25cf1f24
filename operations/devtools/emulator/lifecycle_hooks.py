"""Lifecycle hooks of auto-scaling groups: moto says of each that it notifies a queue, which nobody has asked for."""

from typing import Any

from moto.autoscaling.models import LifecycleHook

from operations.devtools.emulator.replacing import replace


def install() -> None:
    """Say of a hook what was told: ours notify nobody."""
    initialize = LifecycleHook.__init__

    def without_a_queue(self: LifecycleHook, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        vars(self).update(role_arn=None, notification_target_arn=None)

    replace(LifecycleHook, "__init__", without_a_queue)
