"""Inputs of a cluster that tests of the nodes share: what the shipped environments have, where a test is about something else."""

from typing import Any

from nodes.release import node_release
from settings.release_sets import release_set

DOCUMENTED = node_release(release_set("documented"))
"""What the set ``documented`` has the nodes install."""

COMMON: dict[str, Any] = {
    "application_namespace": "vet-app",
    "release": DOCUMENTED,
    "cni": "calico",
    "pod_cidr": "10.42.0.0/16",
    "service_cidr": "10.43.0.0/16",
    "snapshot_schedule": "0 */6 * * *",
    "snapshots_kept": 28,
    "vpc_cidr": "10.0.0.0/16",
}
