"""Restarts of nodes for updates of the operating system."""

from constructs import Construct

from modules.platform.release import Release
from settings.environment import Environment
from settings.patches import Patches

NAMESPACE = "kube-system"
"""Where its pods run: they restart their node, which no other namespace lets a pod do."""


class NodeRestarts(Construct):
    """kured: looks on each node whether an update asks for a restart, and restarts one node at a time within the window, emptied before.

    :param patches: the window.
    """

    def __init__(self, scope: Construct, id_: str, *, environment: Environment, patches: Patches) -> None:
        super().__init__(scope, id_)
        window = {"rebootDays": patches.weekdays, "startTime": patches.start, "endTime": patches.end}
        Release(
            self,
            "kured",
            environment=environment,
            release="kured",
            namespace=NAMESPACE,
            derived={"configuration": {**window, "timeZone": patches.time_zone}},
        )
