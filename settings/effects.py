"""What the change of a setting does to an environment that runs: declared for every key, shown in the editor, in ``make plan`` and
in docs/runbooks/changing-settings.md, and held against real plans by ``tests/apply/test_changes.py``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from settings.environment import Environment


class Kind(StrEnum):
    """When a change is there, and what it costs those who work with the environment."""

    NOTHING = "changes nothing that runs"
    AT_ONCE = "at once"
    ROLL = "next server roll"
    REFRESH = "agents' refresh"
    RESTART = "restarts the application"
    INTERRUPTS = "interrupts"
    FIXED = "fixed after the first deploy"


HOW = {
    Kind.ROLL: "make roll-servers",
    Kind.REFRESH: "make roll-agents",
}
"""The command that brings what an apply leaves to it."""

INFRASTRUCTURE, HELM = "infrastructure", "helm"


@dataclass(frozen=True)
class Effect:
    """What a change of one setting takes."""

    kinds: tuple[Kind, ...]
    """In the order in which they come: ``at once`` for what can be, then what waits for a roll."""

    stacks: frozenset[str]
    """Whose Terraform JSON it changes: ``infrastructure``, ``helm``, both or none."""

    note: str = ""
    """What is interrupted and for how long; how to move what is fixed; or what else to know. A clause or a sentence."""

    loses: tuple[str, ...] = ()
    """Patterns (fnmatch) of Terraform addresses that such a change may delete or replace, although they are precious."""

    def __str__(self) -> str:
        return "; ".join([*self.kinds, *([self.note] if self.note else [])])


def _effect(*kinds: Kind, on: str = "", note: str = "", loses: tuple[str, ...] = ()) -> Effect:
    return Effect(kinds, frozenset(on.split()), note, loses)


_FIXED = "a new environment beside this one, then docs/runbooks/changing-settings.md"
_NODE_PROGRAMS = _effect(Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE)
_PODS = _effect(Kind.RESTART, on=HELM, note="pod by pod, nobody notices")
_IN_AWS = _effect(Kind.AT_ONCE, on=INFRASTRUCTURE)
_ON_THE_CLUSTER = _effect(Kind.AT_ONCE, on=HELM)
_SERVERS = _effect(Kind.ROLL, on=INFRASTRUCTURE)
_AGENTS = _effect(Kind.REFRESH, on=INFRASTRUCTURE)
_DISK = _effect(
    Kind.AT_ONCE, on=INFRASTRUCTURE, note="the disk grows at once, its file system at the next boot; never smaller"
)
_VERSIONS = _effect(
    Kind.AT_ONCE,
    Kind.ROLL,
    Kind.REFRESH,
    on="infrastructure helm",
    note="docs/runbooks/upgrading.md, one Kubernetes minor at a time",
)
_NOTHING = _effect(Kind.NOTHING)
_NAMES = ("aws_route53_record.*", "aws_acm_certificate*")

EFFECTS: Mapping[str, Effect] = {
    "name": _effect(Kind.FIXED, on="infrastructure helm", note="another name is another environment"),
    "protect": _effect(Kind.AT_ONCE, on="infrastructure helm"),
    "region": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "hosts.application": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on="infrastructure helm", loses=_NAMES,
        note="the former name ends; a new certificate is issued first, and names spread within minutes",
    ),
    "hosts.rancher": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on="infrastructure helm", loses=_NAMES,
        note="the former name ends; Rancher's own setting server-url must be changed as well, and imported clusters come again",
    ),
    "zone": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on="infrastructure helm", loses=_NAMES,
        note="make state first makes the zone; names spread within minutes",
    ),
    "network.cidr": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "network.zones": _effect(
        Kind.FIXED, on="infrastructure helm", note="a zone can be added where no server moves by it; ranges and the servers' zones stay"
    ),
    "network.nat_gateways": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on=INFRASTRUCTURE,
        loses=("aws_eip.network_nat_address_*", "aws_nat_gateway.*"),
        note="a gateway that goes takes its public address with it; open connections of its zone break off",
    ),
    "network.flow_logs": _IN_AWS,
    "access.api.access": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_lb.public_api_*",),
        note="the public load balancer comes and goes; kubeconfigs are written again by make kubeconfig",
    ),
    "access.api.allowed_cidrs": _IN_AWS,
    "access.rancher.allowed_cidrs": _effect(
        Kind.AT_ONCE, on="infrastructure helm", note="connections that are open last until they end"
    ),
    "access.ssh.public_key": _effect(
        Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE, loses=("aws_key_pair.*", "aws_instance.jump_host_*"),
        note="nodes that run keep the keys that they have; the jump host is replaced at once",
    ),
    "access.ssh.allowed_cidrs": _IN_AWS,
    "access.ssh.jump_host.enabled": _effect(Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_instance.jump_host_*",)),
    "access.ssh.jump_host.instance_type": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on=INFRASTRUCTURE, note="the jump host stops for a minute"
    ),
    "access.operators": _effect(Kind.AT_ONCE, note="by make state"),
    "access.principals.admin": _IN_AWS,
    "access.principals.deploy": _IN_AWS,
    "access.principals.read": _IN_AWS,
    "image.owner": _NODE_PROGRAMS,
    "image.name": _NODE_PROGRAMS,
    "image.pin": _NODE_PROGRAMS,
    "servers.count": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on="infrastructure helm",
        note="more join one at a time, and the others learn their addresses at the roll; fewer: docs/runbooks/changing-settings.md",
    ),
    "servers.instance_type": _SERVERS,
    "servers.dedicated": _effect(
        Kind.ROLL, on="infrastructure helm", note="a taint that a Node has already is taken away by hand"
    ),
    "servers.root_volume_gib": _DISK,
    "servers.data_volume_gib": _DISK,
    "agents.count": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="more are started; fewer is a lower bound, the autoscaler or a person ends them"
    ),
    "agents.maximum": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="below what runs, the surplus is drained and ended"
    ),
    "agents.instance_type": _AGENTS,
    "agents.root_volume_gib": _AGENTS,
    "agents.spot": _AGENTS,
    "agents.autoscaler": _effect(Kind.AT_ONCE, on=HELM, loses=("helm_release.autoscaler_*",)),
    "load_balancer.target_port": _IN_AWS,
    "load_balancer.health_check.path": _IN_AWS,
    "load_balancer.health_check.interval_seconds": _IN_AWS,
    "load_balancer.health_check.timeout_seconds": _IN_AWS,
    "load_balancer.health_check.healthy_threshold": _IN_AWS,
    "load_balancer.health_check.unhealthy_threshold": _IN_AWS,
    "load_balancer.tls_policy": _IN_AWS,
    "load_balancer.idle_timeout_seconds": _IN_AWS,
    "load_balancer.access_logs": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_s3_bucket.buckets_access_logs_*",),
        note="turned off, an unprotected environment loses what was logged",
    ),
    "load_balancer.access_logs_days": _IN_AWS,
    "cluster.release_set": _VERSIONS,
    "cluster.versions": _VERSIONS,
    "cluster.ingress": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on=HELM,
        note="a minute or two without answers, until the other controller has the ports; addresses, names and certificates stay (docs/runbooks/upgrading.md)",
    ),
    "cluster.cni": _effect(Kind.FIXED, on=INFRASTRUCTURE, note=_FIXED),
    "cluster.pod_cidr": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "cluster.service_cidr": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "cluster.snapshots.schedule": _SERVERS,
    "cluster.snapshots.retention": _SERVERS,
    "charts.mirror": _effect(
        Kind.AT_ONCE, Kind.ROLL, on="infrastructure helm", note="the servers' roll brings it to the cloud controller"
    ),
    "rancher.replicas": _ON_THE_CLUSTER,
    "application.namespace": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "application.replicas": _effect(
        Kind.AT_ONCE, on=HELM, note="a number given by hand (kubectl scale, Rancher) stays until this is changed"
    ),
    "application.service_port": _ON_THE_CLUSTER,
    "application.container_port": _PODS,
    "application.requests.cpu": _PODS,
    "application.requests.memory": _PODS,
    "application.limits.cpu": _PODS,
    "application.limits.memory": _PODS,
    "application.volume": _effect(Kind.AT_ONCE, on=HELM, note="the volume grows while it is used; never smaller"),
    "application.database_instances": _ON_THE_CLUSTER,
    "application.image": _PODS,
    "application.python": _effect(Kind.NOTHING, note="make push builds the next image with it"),
    "application.autoscaling": _ON_THE_CLUSTER,
    "application.autoscaling.maximum": _ON_THE_CLUSTER,
    "application.autoscaling.cpu_percent": _ON_THE_CLUSTER,
    "application.certificate_issuer": _ON_THE_CLUSTER,
    "application.clinic.name": _PODS,
    "application.clinic.address": _PODS,
    "application.clinic.phone": _PODS,
    "application.clinic.time_zone": _PODS,
    "application.clinic.language": _PODS,
    "application.clinic.currency": _PODS,
    "application.clinic.opening_hours": _PODS,
    "application.clinic.slot_minutes": _PODS,
    "application.email": _PODS,
    "application.hsts_seconds": _PODS,
    "application.log_level": _PODS,
    "backups.database_days": _ON_THE_CLUSTER,
    "backups.database_beside": _effect(
        Kind.AT_ONCE, on="infrastructure helm", loses=("helm_release.*beside*",), note="the database beside comes and goes"
    ),
    "backups.noncurrent_days": _IN_AWS,
    "backups.volume_snapshots.enabled": _IN_AWS,
    "backups.volume_snapshots.every_hours": _IN_AWS,
    "backups.volume_snapshots.kept": _IN_AWS,
    "backups.replica_region": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_s3_bucket.replicas_*",), note="copies what is written from then on; a copy that is full is kept from being deleted"
    ),
    "backups.logs_days": _IN_AWS,
    "schedule.enabled": _IN_AWS,
    "schedule.start": _IN_AWS,
    "schedule.stop": _IN_AWS,
    "schedule.days": _IN_AWS,
    "schedule.time_zone": _IN_AWS,
    "alarms.enabled": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE, note="alarms are there at once; nodes measure disks after the roll"
    ),
    "alarms.emails": _IN_AWS,
    "alarms.disk_percent": _IN_AWS,
    "alarms.snapshot_hours": _IN_AWS,
    "alarms.certificate_days": _IN_AWS,
    "budget.enabled": _IN_AWS,
    "budget.monthly_usd": _IN_AWS,
    "budget.alert_percent": _IN_AWS,
    "tags": _effect(Kind.AT_ONCE, Kind.REFRESH, on="infrastructure helm", note="machines and disks of agents have it after the refresh"),
    "acknowledged": _NOTHING,
}  # fmt: skip
"""By the key's path in an environment's file. What is below ``cost`` is of the estimate alone."""

PROJECT_EFFECTS: Mapping[str, Effect] = {
    "name_prefix": _effect(Kind.FIXED, note="every name begins with it"),
    "account_id": _effect(Kind.FIXED, note="another account has nothing of this one"),
    "region": _effect(Kind.FIXED, note="the state bucket is there; an environment may have its own"),
    "domain": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, note="make state makes the new zones; all hosts that end with it change their names"
    ),
    "email": _effect(Kind.AT_ONCE),
    "state_bucket": _effect(Kind.FIXED, note="refused while the former bucket has the state: with another everything would be made a second time"),
    "engine": _effect(Kind.NOTHING, note="docs/opentofu.md moves the state of what is deployed"),
    "state_encryption": _effect(Kind.AT_ONCE, note="each state at its next deploy; decrypt and deploy all before it is taken out (docs/opentofu.md)"),
    "github.repository": _effect(Kind.AT_ONCE, note="by make state"),
    "replica_region": _effect(Kind.AT_ONCE, note="by make state"),
    "access.permissions_boundary": _effect(Kind.AT_ONCE, note="by make state first, then make deploy of each environment"),
    "access.role_path": _effect(Kind.FIXED, note="AWS cannot move a role, and what uses it would lose it"),
    "cost_center": _effect(Kind.AT_ONCE, Kind.REFRESH, note="a tag of everything"),
}  # fmt: skip
"""The same for ``_project.yaml``."""

_ESTIMATE = _effect(Kind.NOTHING, note="make cost assumes it")


def effect(key: str) -> Effect:
    """The declared effect of a key of an environment's file; of a key inside a mapping (``tags.team``), the mapping's.

    Raises:
        KeyError: no effect is declared for it.
    """
    if key.startswith("cost."):
        return _ESTIMATE
    return EFFECTS[next((known for known in _outwards(key) if known in EFFECTS), key)]


def remembered(environment: Environment, stack: str) -> dict[str, str]:
    """The settings that matter to one stack, by key and in JSON, as its state keeps them for the next plan to compare with.

    :param stack: ``infrastructure`` or ``helm``.
    """
    values = _flat(environment.model_dump(mode="json"))
    return {key: json.dumps(value, sort_keys=True) for key, value in values if stack in effect(key).stacks}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Keys whose value differs, in the order of the file."""
    keys = [*after, *(key for key in before if key not in after)]
    return [key for key in keys if before.get(key) != after.get(key)]


def declared(
    model: type[BaseModel], effects: Mapping[str, Effect], path: str = ""
) -> Iterator[tuple[type[BaseModel], str, Effect]]:
    """Every field of the model and of the sections in it that has an effect, with the class that declares the field."""
    for name, field in model.model_fields.items():
        key = f"{path}{name}"
        section = _section(field.annotation)
        if known := effects.get(key) or (_ESTIMATE if key.startswith("cost.") else None):
            yield model, name, known
        if section:
            yield from declared(section, effects, f"{key}.")


@cache
def keys(model: type[BaseModel], path: str = "") -> tuple[str, ...]:
    """Paths of all leaves of a model: of every field that is no section."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        found += keys(section, f"{path}{name}.") if section else [f"{path}{name}"]
    return tuple(found)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section that a field is, also when it may be left out; a mapping to sections is a leaf."""
    kinds = [annotation, *(get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ())]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _outwards(key: str) -> Iterator[str]:
    while key:
        yield key
        key = key.rpartition(".")[0]


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        key = f"{path}{name}"
        inside = key in ("cost",) or any(known.startswith(f"{key}.") for known in EFFECTS)
        if isinstance(value, Mapping) and inside:
            yield from _flat(value, f"{key}.")
        else:
            yield key, value
