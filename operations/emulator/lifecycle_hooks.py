"""Lifecycle hooks of auto-scaling groups: moto says of each that it notifies a queue, which nobody has asked for."""

from typing import Any

from moto.autoscaling.models import LifecycleHook


def install() -> None:
    """Say of a hook what was told: ours notify nobody."""
    made = LifecycleHook.__init__

    def without_a_queue(self: LifecycleHook, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        vars(self).update(role_arn=None, notification_target_arn=None)

    LifecycleHook.__init__ = without_a_queue  # type: ignore[method-assign]
