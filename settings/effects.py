"""What the change of a setting does to an environment that runs: declared for every key, shown in the editor, in ``make plan`` and
in docs/runbooks/changing-settings.md, and held against real plans by ``tests/apply/test_changes.py``."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from pydantic import BaseModel

from settings.model_keys import entries, section


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

STATE, INFRASTRUCTURE, HELM = "state", "infrastructure", "helm"

OF_PROJECT = "_project."
"""What a key of ``_project.yaml`` begins with where it stands beside an environment's."""

OF = " of "
"""What stands between a key and its environment where the account's own stack remembers it: ``dns_zone of dev``."""


@dataclass(frozen=True)
class Effect:
    """What a change of one setting takes."""

    kinds: tuple[Kind, ...]
    """In the order in which they come: ``at once`` for what can be, then what waits for a roll."""

    stacks: frozenset[str]
    """Whose Terraform JSON it changes: ``state``, ``infrastructure``, ``helm``, several or none."""

    note: str = ""
    """What is interrupted and for how long; how to move what is fixed; or what else to know. A clause or a sentence."""

    loses: tuple[str, ...] = ()
    """Patterns (fnmatch) of Terraform addresses that such a change may delete or replace, although they are precious."""

    grows_only: bool = False
    """Whether the value is a size on the cluster that can grow and never shrink."""

    def __str__(self) -> str:
        return "; ".join([*self.kinds, *([self.note] if self.note else [])])


def _effect(
    *kinds: Kind, on: str = "", note: str = "", loses: tuple[str, ...] = (), grows_only: bool = False
) -> Effect:
    return Effect(kinds, frozenset(on.split()), note, loses, grows_only)


_FIXED = "a new environment beside this one, then docs/runbooks/changing-settings.md"
_NODE_PROGRAMS = _effect(Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE)
_PODS = _effect(Kind.RESTART, on=HELM, note="pod by pod, nobody notices")
_IN_AWS = _effect(Kind.AT_ONCE, on=INFRASTRUCTURE)
_ON_THE_CLUSTER = _effect(Kind.AT_ONCE, on=HELM)
_SERVERS = _effect(Kind.ROLL, on=INFRASTRUCTURE)
_SCRIPTS = _effect(
    Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE, note="servers and agents fetch one archive, so both are renewed"
)
_AGENTS = _effect(Kind.REFRESH, on=INFRASTRUCTURE)
_DISK = _effect(
    Kind.AT_ONCE, on=INFRASTRUCTURE, note="the disk grows at once, its file system at the next boot; never smaller"
)
_WAY_OF_VERSIONS = "docs/runbooks/upgrading.md, one Kubernetes minor at a time"
_VERSIONS = _effect(
    Kind.AT_ONCE,
    Kind.ROLL,
    Kind.REFRESH,
    on="infrastructure helm",
    note=f"rolls for what nodes bring with them, such as RKE2; {_WAY_OF_VERSIONS}",
)
_PRINCIPALS = _effect(Kind.AT_ONCE, on="infrastructure helm")
_NOTHING = _effect(Kind.NOTHING)
_HANDLER = ("helm_release.interruptions_*", "aws_iam_role.web_identity_interruption_handler_*")
_GROUPS = ("aws_autoscaling_group.pools_*",)
_MONITORING = ("helm_release.monitoring_*", "kubernetes_namespace_v1.namespaces_cattle-monitoring-system_*")
_LOGS = (
    "aws_cloudwatch_log_group.pod_logs_*",
    "aws_iam_role.web_identity_logs_*",
    "helm_release.logs_*",
    "kubernetes_namespace_v1.namespaces_logging_*",
)
_VELERO = (
    "aws_iam_role.web_identity_velero_*",
    "aws_s3_bucket*.buckets_velero_*",
    "helm_release.velero_*",
    "kubernetes_namespace_v1.namespaces_velero_*",
)
_NAMES = ("aws_route53_record.dns_alias_*", "aws_route53_record.certificate_validation_*", "aws_acm_certificate*")

EFFECTS: Mapping[str, Effect] = {
    "name": _effect(Kind.FIXED, on="infrastructure helm", note="another name is another environment"),
    "deletion_protection": _effect(
        Kind.AT_ONCE, on="infrastructure helm",
        note="machines, disks, buckets and the database are kept from being deleted; turned off, buckets go that nothing else asks for, and LOSE names them",
    ),
    "region": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "hosts.application": _effect(
        Kind.AT_ONCE, Kind.RESTART, Kind.INTERRUPTS, on="infrastructure helm", loses=_NAMES,
        note="the former name ends; a new certificate is issued first, and names spread within minutes",
    ),
    "hosts.rancher": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on="infrastructure helm", loses=_NAMES,
        note="the former name ends, and the other answers within minutes; Rancher's own setting server-url must be changed as well, and imported clusters come again",
    ),
    "hosts.grafana": _effect(
        Kind.AT_ONCE, on="infrastructure helm", loses=_NAMES, note="a new certificate is issued first, for all hosts; without, the name ends"
    ),
    "dns_zone": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on="infrastructure helm", loses=_NAMES,
        note="docs/runbooks/changing-settings.md, another zone: make state makes it and keeps the former one; hosts that keep their names do not answer for up to an hour",
    ),
    "network.cidr": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "network.availability_zones": _effect(
        Kind.FIXED, on="infrastructure helm", note="a zone can be added where no server moves by it, and the ingress controller then believes its load balancer too; ranges and the servers' zones stay"
    ),
    "network.nat_gateways": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on=INFRASTRUCTURE,
        loses=("aws_eip.network_nat_address_*", "aws_nat_gateway.*"),
        note="a gateway that goes takes its public address with it; open connections of its zone break off, and others go out after some seconds",
    ),
    "network.private_only": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "network.endpoints": _effect(
        Kind.AT_ONCE, on="infrastructure helm", note="calls of the service go through the endpoint within a minute, and back when it goes; with a proxy also at the roll"
    ),
    "network.existing": _effect(Kind.FIXED, on=INFRASTRUCTURE, note=_FIXED),
    "network.existing.first_server_host": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "network.flow_logs": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_cloudwatch_log_group.flow_logs_*", "aws_iam_role.flow_logs_*"),
        note="turned off, an unprotected environment loses what was recorded",
    ),
    "node_logs.enabled": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE, loses=("aws_cloudwatch_log_group.node_logs_*",),
        note="nodes send from their next replacement on; turned off, an unprotected environment loses what was sent",
    ),
    "access.api.access": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_lb*.public_api_*",),
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
    "access.ssh.jump_host.enabled": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_instance.jump_host_*", "aws_iam_role.jump_host_*")
    ),
    "access.ssh.jump_host.instance_type": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on=INFRASTRUCTURE, note="the jump host stops for a minute"
    ),
    "access.operators": _effect(Kind.AT_ONCE, on=STATE, loses=("aws_iam_role.operator_*",), note="by make state"),
    "access.principals.admin": _PRINCIPALS,
    "access.principals.deploy": _PRINCIPALS,
    "access.principals.read": _PRINCIPALS,
    "access.identity.issuer": _effect(
        Kind.AT_ONCE, Kind.ROLL, on="infrastructure helm", note="the API server knows people's tokens from the roll on; those of the shared accounts stay good"
    ),
    "access.identity.shared": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="kubeconfigs of the shared accounts end; what they have read, within twelve hours"
    ),
    "image.owner": _NODE_PROGRAMS,
    "image.name": _NODE_PROGRAMS,
    "image.ami_id": _NODE_PROGRAMS,
    "servers.count": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on="infrastructure helm",
        note="more join one at a time, and the others learn their addresses at the roll; fewer: docs/runbooks/changing-settings.md",
    ),
    "servers.instance_type": _SERVERS,
    "servers.dedicated": _effect(
        Kind.ROLL, on="infrastructure helm",
        note="the database's pods restart at once, one after the other, with a switchover of seconds or, of one instance, a minute without; a taint that a Node has already is taken away by hand",
    ),
    "servers.root_volume_gib": _DISK,
    "servers.data_volume_gib": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE,
        note="the disk grows at once, its file system by mount-data while it is in use or at the next boot (docs/runbooks/changing-instance-types.md); never smaller",
    ),
    "agents.min_count": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="more are started; fewer is a lower bound, the autoscaler or a person ends them"
    ),
    "agents.max_count": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="below what runs, the surplus is drained and ended"
    ),
    "agents.instance_type": _AGENTS,
    "agents.root_volume_gib": _AGENTS,
    "agents.spot": _AGENTS,
    "agents.autoscaler": _effect(Kind.AT_ONCE, on=HELM, loses=("helm_release.autoscaler_*",)),
    "pools": _effect(
        Kind.AT_ONCE, Kind.RESTART, on="infrastructure helm", loses=_HANDLER + _GROUPS,
        note="a new pool is started; the nodes of one that is taken out or renamed are drained and ended; with the first Spot pool, which make state allows first, database and application restart, to keep away from it",
    ),
    "pools.*.instance_types": _AGENTS,
    "pools.*.min_count": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="more are started; fewer is a lower bound, the autoscaler or a person ends them"
    ),
    "pools.*.max_count": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, note="below what runs, the surplus is drained and ended"
    ),
    "pools.*.availability_zones": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=_GROUPS, note="its nodes are spread again; those of a zone that is taken out are drained and ended"
    ),
    "pools.*.labels": _AGENTS,
    "pools.*.taints": _AGENTS,
    "pools.*.root_volume_gib": _AGENTS,
    "pools.*.extra_volumes": _effect(
        Kind.REFRESH, on=INFRASTRUCTURE, note="a larger one comes to nodes that run by make grow-volumes, without a refresh"
    ),
    "pools.*.spot": _effect(
        Kind.AT_ONCE, Kind.RESTART, on="infrastructure helm", loses=_HANDLER + _GROUPS,
        note="nodes of the other kind are started and the former ones drained and ended; database and application keep away from Spot nodes",
    ),
    "pools.*.on_demand_base": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=_GROUPS, note="the base's nodes are started, or drained and ended"
    ),
    "pools.*.ami_id": _AGENTS,
    "pools.*.priority": _ON_THE_CLUSTER,
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
        Kind.AT_ONCE, Kind.RESTART, Kind.INTERRUPTS, on=HELM,
        note="the ingress does not answer until the other controller has the ports, up to five minutes on a single server; addresses, names and certificates stay (docs/runbooks/upgrading.md)",
    ),
    "cluster.cni": _effect(Kind.FIXED, on=INFRASTRUCTURE, note=_FIXED),
    "cluster.pod_cidr": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "cluster.service_cidr": _effect(Kind.FIXED, on="infrastructure helm", note=_FIXED),
    "cluster.hardening": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on="infrastructure helm",
        note="the database and the ingress controller are restarted for it; pods that break its rules are refused from the roll on, those that run stay; etcd's data change their owner at the roll (docs/runbooks/cis-hardening.md)",
    ),
    "cluster.snapshots.schedule": _SERVERS,
    "cluster.snapshots.retention": _SERVERS,
    "charts.mirror": _effect(
        Kind.AT_ONCE, Kind.ROLL, on="infrastructure helm", note="releases are written again, those of ingress and database too, and no pod is replaced; the servers' roll brings it to the cloud controller"
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
    "application.volume": _effect(
        Kind.AT_ONCE, on=HELM, grows_only=True, note="the database's volume grows while it is used; never smaller"
    ),
    "application.database_instances": _effect(
        Kind.AT_ONCE, on=HELM, note="replicas of the database come, or go, and its primary stays"
    ),
    "application.image": _PODS,
    "application.python_version": _effect(Kind.NOTHING, note="make push builds the next image with it"),
    "application.autoscaling": _ON_THE_CLUSTER,
    "application.autoscaling.max_replicas": _ON_THE_CLUSTER,
    "application.autoscaling.target_cpu_percent": _ON_THE_CLUSTER,
    "application.certificate_issuer": _ON_THE_CLUSTER,
    "application.clinic.name": _PODS,
    "application.clinic.address": _PODS,
    "application.clinic.phone": _PODS,
    "application.clinic.time_zone": _PODS,
    "application.clinic.language": _PODS,
    "application.clinic.country": _PODS,
    "application.clinic.units": _PODS,
    "application.clinic.currency": _PODS,
    "application.clinic.opening_hours": _PODS,
    "application.clinic.slot_minutes": _PODS,
    "application.email_reminders": _PODS,
    "application.email_from": _PODS,
    "application.email_reply_to": _PODS,
    "application.email_relay": _ON_THE_CLUSTER,
    "application.attachments_in_s3": _effect(
        Kind.AT_ONCE, Kind.RESTART, on="infrastructure helm", loses=("aws_s3_bucket.buckets_files_*", "aws_iam_role.web_identity_application_*"),
        note="new files go to the bucket, none is moved; turned off, an unprotected environment loses what is in it",
    ),
    "application.attachments_quota_mb": _PODS,
    "application.hsts_seconds": _effect(
        Kind.RESTART, on=HELM, note="pod by pod, nobody notices; the ingress controller reads it again (Traefik's pods restart, server by server)"
    ),
    "application.log_level": _PODS,
    "backups.database_days": _effect(Kind.AT_ONCE, on=HELM, note="backups of the database that are older go with the next one"),
    "backups.database_clone_at": _effect(
        Kind.AT_ONCE, on="infrastructure helm", loses=("helm_release.*beside*",), note="the database beside comes and goes"
    ),
    "backups.noncurrent_days": _IN_AWS,
    "backups.volume_snapshots.enabled": _effect(
        Kind.AT_ONCE, on="infrastructure helm", loses=("aws_iam_role.volume_snapshots_*",), note="volumes of pods that are there already get the tag by hand (docs/runbooks/restoring-a-volume.md)"
    ),
    "backups.volume_snapshots.every_hours": _IN_AWS,
    "backups.volume_snapshots.retention": _IN_AWS,
    "backups.replica_region": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_s3_bucket.replicas_*", "aws_kms_key.replicas_*", "aws_iam_role.replicas_*"),
        note="copies what is written from then on; for none or for another region, first delete_copies: true and a deploy",
    ),
    "backups.delete_copies": _effect(
        Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_s3_bucket.replicas_*", "aws_kms_key.replicas_*", "aws_iam_role.replicas_*"),
        note="the copies go; a copy that is full is kept from being deleted",
    ),
    "backups.logs_days": _IN_AWS,
    "schedule.enabled": _effect(Kind.AT_ONCE, on=INFRASTRUCTURE, loses=("aws_iam_role.schedule_*",)),
    "schedule.start": _IN_AWS,
    "schedule.stop": _IN_AWS,
    "schedule.days": _IN_AWS,
    "schedule.time_zone": _IN_AWS,
    "patches": _effect(
        Kind.AT_ONCE, on=HELM, loses=("helm_release.restarts_*",), note="nodes that wait for a restart get it in the next window"
    ),
    "patches.days": _ON_THE_CLUSTER,
    "patches.start": _ON_THE_CLUSTER,
    "patches.end": _ON_THE_CLUSTER,
    "patches.time_zone": _ON_THE_CLUSTER,
    "alarms.enabled": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE, loses=("aws_kms_key.alarms_key_*",),
        note="alarms are there at once; nodes measure disks after the roll",
    ),
    "alarms.emails": _IN_AWS,
    "alarms.disk_percent": _IN_AWS,
    "alarms.snapshot_hours": _IN_AWS,
    "alarms.certificate_days": _IN_AWS,
    "dashboard.enabled": _IN_AWS,
    "budget.enabled": _IN_AWS,
    "budget.monthly_usd": _IN_AWS,
    "budget.alert_percent": _IN_AWS,
    "services.monitoring.enabled": _effect(
        Kind.AT_ONCE, Kind.ROLL, Kind.REFRESH, on="infrastructure helm", loses=_MONITORING,
        note="the ingress controller's pods are replaced, server by server, to be measured (of one server: some seconds without answers); etcd, scheduler and controller manager are measured after the servers' roll; turned off, measurements go with their volumes",
    ),
    "services.monitoring.retention_days": _ON_THE_CLUSTER,
    "services.monitoring.volume": _effect(
        Kind.AT_ONCE, on=HELM, grows_only=True,
        note="measurements begin to fill it; the volume that is there is widened by hand (docs/runbooks/monitoring.md); never smaller",
    ),
    "services.monitoring.alerts.emails": _ON_THE_CLUSTER,
    "services.monitoring.alerts.smtp": _ON_THE_CLUSTER,
    "services.monitoring.alerts.smtp.server": _ON_THE_CLUSTER,
    "services.monitoring.alerts.smtp.sender": _ON_THE_CLUSTER,
    "services.monitoring.alerts.smtp.username": _ON_THE_CLUSTER,
    "services.monitoring.alerts.webhook": _ON_THE_CLUSTER,
    "services.logs.enabled": _effect(
        Kind.AT_ONCE, on="infrastructure helm", loses=_LOGS,
        note="what pods write from then on, and what the nodes still have; the ingress controller writes other lines (nginx reads its configuration again, Traefik's pods are replaced, server by server); turned off, an unprotected environment loses what was sent",
    ),
    "services.logs.left_out": _ON_THE_CLUSTER,
    "services.velero.enabled": _effect(
        Kind.AT_ONCE, on="infrastructure helm", loses=_VELERO,
        note="the first backup is taken at the schedule's next time; turned off, an unprotected environment loses its backups with their bucket",
    ),
    "services.velero.schedule": _ON_THE_CLUSTER,
    "services.velero.days": _effect(Kind.AT_ONCE, on=HELM, note="of backups that are taken from then on"),
    "services.velero.left_out": _ON_THE_CLUSTER,
    "values": _effect(
        Kind.AT_ONCE, Kind.ROLL, on="infrastructure helm", note="a release's own pods are replaced if its chart says so; the cloud controller's values come with the servers' roll"
    ),
    "extra_releases": _effect(Kind.AT_ONCE, on=HELM, loses=("helm_release.extra_*", "kubernetes_namespace_v1.namespaces_*")),
    "extra_manifests": _effect(Kind.AT_ONCE, on=HELM, loses=("helm_release.extra_*",)),
    "rke2_config.servers": _SERVERS,
    "rke2_config.agents": _AGENTS,
    "registries.mirrors": _NODE_PROGRAMS,
    "registries.credentials": _NODE_PROGRAMS,
    "proxy": _effect(Kind.ROLL, Kind.REFRESH, on=INFRASTRUCTURE, note="pods are told by `values`"),
    "proxy.url": _NODE_PROGRAMS,
    "proxy.direct": _NODE_PROGRAMS,
    "extra_user_data.servers.before_join": _SCRIPTS,
    "extra_user_data.servers.after_join": _SCRIPTS,
    "extra_user_data.agents.before_join": _SCRIPTS,
    "extra_user_data.agents.after_join": _SCRIPTS,
    "terraform_overrides": _effect(Kind.AT_ONCE, on="infrastructure helm", note="what it does to the resource is for you to judge: read the plan"),
    "tags": _effect(Kind.AT_ONCE, Kind.REFRESH, on="infrastructure helm", note="machines and disks of agents have it after the refresh"),
    "acknowledged_warnings": _NOTHING,
}  # fmt: skip
"""By the key's path in an environment's file; ``*`` stands for any name that the file gives. What is below ``cost`` is of the estimate alone."""

_EVERYWHERE = "state infrastructure helm"

PROJECT_EFFECTS: Mapping[str, Effect] = {
    "name_prefix": _effect(Kind.FIXED, on=_EVERYWHERE, note="every name begins with it"),
    "account_id": _effect(Kind.FIXED, on=_EVERYWHERE, note="another account has nothing of this one"),
    "region": _effect(Kind.FIXED, on=_EVERYWHERE, note="the state bucket is there; an environment may have its own"),
    "domain": _effect(
        Kind.AT_ONCE, Kind.INTERRUPTS, on=_EVERYWHERE,
        note="docs/runbooks/changing-settings.md, another zone: make state makes the new zones and keeps the former ones; the hosts' former names end with each environment's deploy, and the new ones answer within minutes",
    ),
    "former_zones": _effect(Kind.AT_ONCE, on=STATE, note="by make state; a zone that is taken out goes when LOSE names it"),
    "email": _effect(Kind.AT_ONCE, on="infrastructure helm"),
    "state_bucket": _effect(Kind.FIXED, on=_EVERYWHERE, note="refused while the former bucket has the state: with another everything would be made a second time"),
    "engine": _effect(Kind.NOTHING, on=_EVERYWHERE, note="docs/opentofu.md moves the state of what is deployed"),
    "state_encryption": _effect(Kind.AT_ONCE, on="infrastructure helm", note="each state at its next deploy; decrypt and deploy all before it is taken out (docs/opentofu.md)"),
    "github.repository": _effect(
        Kind.AT_ONCE, on=STATE, loses=("aws_iam_openid_connect_provider.github_*", "aws_iam_role.github_*"), note="by make state"
    ),
    "replica_region": _effect(Kind.AT_ONCE, on=STATE, note="by make state; for none or for another region, first delete_copies: true and make state"),
    "delete_copies": _effect(Kind.AT_ONCE, on=STATE, note="by make state; the copy goes when LOSE names it"),
    "access.permissions_boundary": _effect(Kind.AT_ONCE, on="state infrastructure", note="by make state first, then make deploy of each environment"),
    "access.role_path": _effect(Kind.FIXED, on="state infrastructure", note="AWS cannot move a role, and what uses it would lose it"),
    "cost_center": _effect(Kind.AT_ONCE, Kind.REFRESH, on=_EVERYWHERE, note="a tag of everything"),
}  # fmt: skip
"""The same for ``_project.yaml``."""

_ESTIMATE = _effect(Kind.NOTHING, note="make cost assumes it")


def effect(key: str) -> Effect:
    """The declared effect of a key of an environment's file; of a key inside a mapping (``tags.team``), the mapping's, unless its parts have
    their own (``pools.reports.min_count``). Also of a key as a state remembers it: ``_project.email``, ``dns_zone of dev``.

    Raises:
        KeyError: no effect is declared for it.
    """
    if key.startswith(OF_PROJECT):
        return PROJECT_EFFECTS[key.removeprefix(OF_PROJECT)]
    key = key.partition(OF)[0]
    if key.startswith("cost."):
        return _ESTIMATE
    return EFFECTS[next((known for known in outwards(unnamed(key)) if known in EFFECTS), key)]


def of_versions(components: Collection[str], nodes: Collection[str]) -> Effect:
    """What other versions of these components do: the rolls are for those that nodes bring with them.

    :param nodes: all of the latter (``settings.upgrades.NODES``).
    """
    rolled = [each for each in components if each in nodes]
    kinds = [*([Kind.AT_ONCE] if len(rolled) < len(components) else []), *([Kind.ROLL, Kind.REFRESH] if rolled else [])]
    return replace(_VERSIONS, kinds=tuple(kinds or [Kind.NOTHING]), note=f"{', '.join(components)}; {_WAY_OF_VERSIONS}")


def declared(
    model: type[BaseModel], effects: Mapping[str, Effect], path: str = ""
) -> Iterator[tuple[type[BaseModel], str, Effect]]:
    """Every field of the model and of the sections in it that has an effect, with the class that declares the field."""
    for name, field in model.model_fields.items():
        key = f"{path}{name}"
        inner = section(field.annotation)
        if known := effects.get(key) or (_ESTIMATE if key.startswith("cost.") else None):
            yield model, name, known
        if inner:
            yield from declared(inner, effects, f"{key}.")
        elif each := entries(field.annotation):
            yield from declared(each, effects, f"{key}.*.")


def unnamed(key: str) -> str:
    """The key as it is declared: ``pools.reports.min_count`` is ``pools.*.min_count``."""
    first, _, rest = key.partition(".")
    generic = f"{first}.*.{rest.partition('.')[2]}".removesuffix(".")
    return generic if f"{first}.*" in sections() and rest else key


@cache
def sections() -> frozenset[str]:
    """Every section that has a key with an effect below it, ``pools`` and ``pools.*`` included."""
    return frozenset(section for key in EFFECTS for section in outwards(key.rpartition(".")[0]))


def outwards(key: str) -> Iterator[str]:
    """The key, and each section around it, from the inside."""
    while key:
        yield key
        key = key.rpartition(".")[0]
