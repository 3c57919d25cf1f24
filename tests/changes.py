"""Another value for every setting: what a test changes an environment to, from the type of each key where that is enough."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings.documents import merged
from settings.environment import Environment
from settings.loader import ENVIRONMENTS
from settings.model_keys import keys
from settings.pools import Pool

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnuLIqriBtSzn1ayt2WvEXUextsV/h1tggansAHo0Mg ops"  # of a pair whose private half was thrown away
POOL: Mapping[str, Any] = {
    "instance_types": ["m6i.large", "m5.large"],
    "min_count": 2,
    "max_count": 4,
    "spot": True,
    "on_demand_base": 1,
}
"""A pool against which a change of a pool is seen."""

EXISTING: Mapping[str, Any] = {
    "cidr": "10.20.0.0/16",
    "availability_zones": {
        "a": {"public": "10.20.1.0/24", "private": "10.20.10.0/24"},
        "b": {"public": "10.20.2.0/24", "private": "10.20.11.0/24"},
    },
    "nat_gateways": [],
    "existing": {
        "id": "vpc-0123456789abcdef0",
        "subnets": {
            "a": {"public": "subnet-0123456789abcdef1", "private": "subnet-0123456789abcdef2"},
            "b": {"public": "subnet-0123456789abcdef3", "private": "subnet-0123456789abcdef4"},
        },
    },
}
"""A network in a VPC that is there already."""

ROLE = "arn:aws:iam::123456789012:role/somebody"
OTHER_ROLE = "arn:aws:iam::123456789012:role/support"
ISSUER = "https://0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0.tokens.sts.global.api.aws"

SCRIPT = "#!/bin/sh\ntrue\n"

CHOSEN: Mapping[str, Any] = {
    "region": "us-west-2",
    "hosts.application": "clinic.dev.example.com",
    "hosts.rancher": "admin.dev.example.com",
    "hosts.grafana": "grafana.dev.example.com",
    "dns_zone": "example.com",
    "network.cidr": "10.0.0.0/17",
    "network.availability_zones": {"a": {"public": "10.0.5.0/24", "private": "10.0.15.0/24"}},
    "network.nat_gateways": ["a"],
    "network.endpoints": ["ec2", "sts"],
    "network.existing.id": "vpc-0123456789abcdef9",
    "network.existing.subnets": {"a": {"private": "subnet-0123456789abcdef9"}},
    "network.existing.first_server_host": 20,
    "access.api.allowed_cidrs": ["203.0.113.0/24"],
    "access.rancher.allowed_cidrs": ["203.0.113.0/24"],
    "access.ssh.public_key": KEY,
    "access.ssh.allowed_cidrs": ["203.0.113.0/24"],
    "access.ssh.jump_host.instance_type": "t3.small",
    "access.operators": [ROLE],
    "access.identity.issuer": ISSUER,
    "access.principals.admin": [ROLE],
    "access.principals.deploy": [ROLE],
    "access.principals.read": [ROLE],
    "image.owner": "123456789012",
    "image.name": "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-2*",
    "image.ami_id": "ami-0123456789abcdef0",
    "servers.count": 3,
    "servers.instance_type": "m6i.large",
    "agents.instance_type": "m6i.large",
    "pools": {"reports": POOL},
    "pools.reports.instance_types": ["m5.large", "m6i.large"],
    "pools.reports.min_count": 3,
    "pools.reports.max_count": 5,
    "pools.reports.availability_zones": ["b"],
    "pools.reports.labels": {"workload": "reports"},
    "pools.reports.taints": [{"key": "workload", "value": "reports"}],
    "pools.reports.root_volume_gib": 60,
    "pools.reports.extra_volumes": [{"path": "/mnt/reports", "gib": 100}],
    "pools.reports.spot": False,
    "pools.reports.on_demand_base": 2,
    "pools.reports.ami_id": "ami-0123456789abcdef0",
    "pools.reports.priority": 20,
    "load_balancer.health_check.path": "/healthz",
    "cluster.versions": {
        "rancher": "2.8.5",
        "rke2": "v1.27.16+rke2r2",
        "aws-cloud-controller-manager-image": "v1.27.10",
        "cluster-autoscaler-image": "v1.27.8",
    },
    "cluster.hardening": "cis",
    "cluster.pod_cidr": "10.44.0.0/16",
    "cluster.service_cidr": "10.45.0.0/16",
    "cluster.snapshots.schedule": "0 */4 * * *",
    "charts.mirror": "https://charts.example.com",
    "application.namespace": "clinic",
    "application.requests.cpu": "110m",
    "application.requests.memory": "130Mi",
    "application.limits.cpu": "300m",
    "application.limits.memory": "300Mi",
    "application.volume": "6Gi",
    "application.image": "0123abc",
    "application.autoscaling.target_cpu_percent": 70,
    "application.clinic.name": "Another Clinic",
    "application.clinic.address": "1 Other Street",
    "application.clinic.phone": "555-0199",
    "application.clinic.time_zone": "Europe/Berlin",
    "application.clinic.country": "DE",
    "application.clinic.units": "metric",
    "application.clinic.currency": "EUR",
    "application.clinic.opening_hours": "09:00-17:00",
    "application.email_from": "hello@clinic.example",
    "application.email_reply_to": "desk@clinic.example",
    "application.email_relay": "10.0.10.25/32",
    "application.attachments_quota_mb": 4096,
    "backups.database_clone_at": "2026-11-24T09:30:00Z",
    "backups.replica_region": "us-west-2",
    "schedule.start": "06:00",
    "schedule.stop": "20:00",
    "schedule.time_zone": "Europe/Paris",
    "patches.days": "SAT-SUN",
    "patches.start": "01:00",
    "patches.end": "04:00",
    "patches.time_zone": "Europe/Paris",
    "alarms.emails": ["oncall@example.com"],
    "budget.alert_percent": [50],
    "services.monitoring.volume": "30Gi",
    "services.monitoring.alerts.emails": ["oncall@example.com"],
    "services.monitoring.alerts.smtp.server": "mail.example.com:587",
    "services.monitoring.alerts.smtp.sender": "alarm@example.com",
    "services.monitoring.alerts.smtp.username": "alarm",
    "services.logs.left_out": ["kube-system"],
    "services.velero.schedule": "0 4 * * *",
    "services.velero.left_out": ["scratch"],
    "values": {
        "aws-cloud-controller-manager": {"resources": {"limits": {"memory": "300Mi"}}},
        "rancher": {"resources": {"limits": {"memory": "4Gi"}}},
    },
    "extra_releases": {
        "kured": {
            "chart": "kured",
            "repository": "https://kubereboot.github.io/charts",
            "version": "5.5.1",
            "namespace": "kured",
        }
    },
    "extra_manifests": {"quota": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "quota"}}]},
    "rke2_config.servers": {"kube-controller-manager-arg": ["terminated-pod-gc-threshold=500"]},
    "rke2_config.agents": {"node-label": ["clinic=main"]},
    "registries.mirrors": {"docker.io": {"endpoints": ["https://mirror.example.com"]}},
    "registries.credentials": {"mirror.example.com": "mirror"},
    "proxy.url": "http://proxy.example.com:3128",
    "proxy.direct": ["registry.example.com"],
    "extra_user_data.servers.before_join": {"10-first": SCRIPT},
    "extra_user_data.servers.after_join": {"90-last": SCRIPT},
    "extra_user_data.agents.before_join": {"10-first": SCRIPT},
    "extra_user_data.agents.after_join": {"90-last": SCRIPT},
    "terraform_overrides": {
        "infrastructure/servers/slot_0/Resource": {"tags.Note": "mine"},
        "helm/rancher/rancher/Resource": {"timeout": 2400},
    },
    "tags": {"Team": "platform"},
    "acknowledged_warnings": {"small-servers": "Somebody has looked at it again."},
}
"""Values where the type alone does not say which is another one that is right."""

CHOSEN_FOR: Mapping[str, Mapping[str, Any]] = {
    "prod": {
        "hosts.application": "clinic.example.com",
        "hosts.rancher": "admin.example.com",
        "hosts.grafana": "grafana.example.com",
        "servers.count": 5,
    }
}
"""Values for an environment for which that of ``CHOSEN`` is not another one, or not right."""

NEXT: Mapping[str, Any] = {
    "network.endpoints": ["sts", "kms"],
    "access.api.allowed_cidrs": ["192.0.2.7/32"],
    "access.rancher.allowed_cidrs": ["192.0.2.0/24"],
    "access.ssh.public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKT3eAHrOq/p5TvX/sIUwej7H/ModIMbt1AjIMfjDrrt ops",
    "access.ssh.allowed_cidrs": ["192.0.2.0/24"],
    "access.ssh.jump_host.instance_type": "t3.micro",
    "access.principals.admin": [OTHER_ROLE],
    "access.principals.deploy": [OTHER_ROLE],
    "access.principals.read": [OTHER_ROLE],
    "charts.mirror": "https://charts.example.org",
    "backups.database_clone_at": "2026-11-25T09:30:00Z",
    "alarms.emails": ["night@example.com"],
    "rke2_config.servers": {"kube-controller-manager-arg": ["terminated-pod-gc-threshold=700"]},
    "rke2_config.agents": {"node-label": ["clinic=second"]},
    "registries.mirrors": {"docker.io": {"endpoints": ["https://mirror.example.org"]}},
    "registries.credentials": {"mirror.example.com": "second"},
    "proxy.url": "http://proxy.example.org:3128",
    "proxy.direct": ["registry.example.org"],
    "extra_user_data.servers.before_join": {"20-second": SCRIPT},
    "extra_user_data.servers.after_join": {"80-second": SCRIPT},
    "extra_user_data.agents.before_join": {"20-second": SCRIPT},
    "extra_user_data.agents.after_join": {"80-second": SCRIPT},
    "terraform_overrides": {"infrastructure/servers/slot_0/Resource": {"tags.Note": "theirs"}},
    "tags": {"Team": "clinic"},
    **{key: value for key, value in CHOSEN.items() if key.startswith("pools.")},
}
"""A second value of settings that are empty to begin with: what they are changed to once they have the one of ``CHOSEN``."""

OF_PROJECT: Mapping[str, Any] = {
    "name_prefix": "clinic",
    "account_id": "210987654321",
    "region": "us-west-2",
    "domain": "clinic.example",
    "former_zones": ["former.example.com"],
    "email": "somebody@example.com",
    "state_bucket": "another-terraform-state-example",
    "engine": "tofu",
    "state_encryption": "encrypt",
    "github.repository": "clinic/platform",
    "replica_region": "us-west-2",
    "delete_copies": True,
    "access.permissions_boundary": "arn:aws:iam::123456789012:policy/company-boundary",
    "access.role_path": "/platform/",
    "cost_center": "another",
}
"""Another value of every key of ``_project.yaml``."""

BESIDE_OF_PROJECT: Mapping[str, Mapping[str, Any]] = {
    "state_encryption": {"engine": "tofu"},
    "delete_copies": {"replica_region": "us-west-2"},
}
"""What must be set for such a key to matter."""

BESIDE: Mapping[str, Mapping[str, Any]] = {
    "network.availability_zones": {
        "network": {"availability_zones": {"b": {"public": "10.0.2.0/24", "private": "10.0.11.0/24"}}}
    },
    "access.api.allowed_cidrs": {"access": {"api": {"access": "public", "allowed_cidrs": ["198.51.100.0/24"]}}},
    "network.existing": {"network": EXISTING},
    "network.private_only": {"proxy": {"url": "http://proxy.example.com:3128"}},
    "access.principals": {"access": {"identity": {"issuer": ISSUER}}},
    "access.identity.shared": {"access": {"identity": {"issuer": ISSUER}, "principals": {"read": [ROLE]}}},
    "backups.logs_days": {"network": {"flow_logs": True}},
    "backups.delete_copies": {"backups": {"replica_region": "us-west-2"}},
    "access.api.access": {"access": {"api": {"allowed_cidrs": ["203.0.113.0/24"]}}},
    "access.ssh.jump_host.instance_type": {"access": {"ssh": {"jump_host": {"enabled": True}}}},
    "access.ssh.allowed_cidrs": {"access": {"ssh": {"public_key": KEY}}},
    "application.email_relay": {"application": {"email_reminders": True}},
    "pools.reports": {"pools": {"reports": POOL}},
    "pools.reports.spot": {"pools": {"reports": {"on_demand_base": 0}}},
    "pools.reports.priority": {"agents": {"autoscaler": True}},
    "application.autoscaling.target_cpu_percent": {"application": {"autoscaling": {"max_replicas": 6}}},
    "patches": {"patches": {}},
    "schedule": {"schedule": {"enabled": True}},
    "hosts.grafana": {"services": {"monitoring": {"enabled": True}}},
    "services.monitoring": {"services": {"monitoring": {"enabled": True}}},
    "services.monitoring.alerts.smtp": {
        "services": {"monitoring": {"alerts": {"smtp": {"server": "smtp.example.com:587", "sender": "a@example.com"}}}}
    },
    "services.logs": {"services": {"logs": {"enabled": True}}},
    "services.velero": {"services": {"velero": {"enabled": True}}},
    "alarms": {"alarms": {"enabled": True}},
    "budget": {"budget": {"enabled": True}},
    "backups.volume_snapshots": {"backups": {"volume_snapshots": {"enabled": True}}},
    "proxy.direct": {"proxy": {"url": "http://other.example.com:3128"}},
    "load_balancer.access_logs_days": {"load_balancer": {"access_logs": True}},
}
"""What must be on for a setting to matter, by the key or by the section; a change is seen against an environment that has it."""

BESIDE_FOR: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "prod": {"schedule.enabled": {"patches": None}, "schedule": {"schedule": {"enabled": True}, "patches": None}}
}
"""The same for an environment that needs something else than ``BESIDE`` says."""

TOGETHER: Mapping[str, Mapping[str, Any]] = {
    "network.private_only": {
        "network": {"nat_gateways": [], "availability_zones": {letter: {"public": None} for letter in ("a", "b")}},
    },
}
"""What has to change at the same time."""

UNCHANGEABLE = frozenset({"name", "cluster.cni", "load_balancer.target_port"})
"""Keys without another value: the file's name, and choices of one."""


def changeable() -> list[str]:
    """Keys that have another value; ``cost`` is the estimate's alone. Those of a pool are of the pool ``reports``."""
    names = [key for key in keys(Environment) if key not in UNCHANGEABLE and not key.startswith("cost.")]
    return names + [f"pools.reports.{key}" for key in keys(Pool)]


def beside(key: str, environment: str = "dev") -> dict[str, Any]:
    """Settings that a change of the key is seen against, in an environment of the repository."""
    document: dict[str, Any] = {}
    for known, settings in {**BESIDE, **BESIDE_FOR.get(environment, {})}.items():
        if key == known or (key.startswith(f"{known}.") and key != f"{known}.enabled"):
            document = merged(document, dict(settings))
    return document


def another(key: str, environment: Environment) -> dict[str, Any]:
    """The document that sets the key to another value than the environment's, one of the repository's."""
    chosen = {**CHOSEN, **CHOSEN_FOR.get(environment.name, {})}
    value = chosen[key] if key in chosen else _another(*_field(key, environment))
    return merged(dict(TOGETHER.get(key, {})), _nested(key, value))


def first_values() -> dict[str, Any]:
    """The document that sets every key of ``NEXT``, and has the pool ``reports``: what they are changed from."""
    document: dict[str, Any] = {"pools": {"reports": dict(POOL)}}
    for key in NEXT:
        if not key.startswith("pools."):
            document = merged(document, merged(beside(key), _nested(key, CHOSEN[key])))
    return document


def next_value(key: str) -> dict[str, Any]:
    """The document that sets a key of ``NEXT`` to its second value, with what must be beside it."""
    return merged(beside(key), _nested(key, NEXT[key]))


def another_of_project(key: str) -> dict[str, Any]:
    """The document of ``_project.yaml`` that sets the key to another value, with what must be beside it."""
    return merged(dict(BESIDE_OF_PROJECT.get(key, {})), _nested(key, OF_PROJECT[key]))


def _nested(key: str, value: Any) -> dict[str, Any]:
    document: Any = value
    for part in reversed(key.split(".")):
        document = {part: document}
    return dict(document)


def _field(key: str, environment: Environment) -> tuple[FieldInfo, Any]:
    model: type[BaseModel] = Environment
    value: Any = environment
    *sections, name = key.split(".")
    for section in sections:
        annotation = model.model_fields[section].annotation
        kinds = [annotation, *get_args(annotation)]
        model = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
        value = getattr(value, section, None)
    return model.model_fields[name], getattr(value, name, None)


def _another(field: FieldInfo, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if get_origin(field.annotation) is Literal:
        return next(choice for choice in get_args(field.annotation) if choice != value)
    if isinstance(value, int):
        most = next((each.le for each in field.metadata if hasattr(each, "le")), None)
        return value + 1 if most is None or value < most else value - 1
    if field.annotation is int:
        return 3
    raise TypeError(f"choose another value for {field}")


def one_environment(
    folder: Path, changes: Mapping[str, Any], project: Mapping[str, Any] | None = None, *, name: str = "dev"
) -> Path:
    """Write the repository's settings with no environment but one, changed, below ``folder``; what an earlier call wrote is replaced.

    :param changes: sections of the environment's file to lay over it.
    :param project: the same for ``_project.yaml``.
    :param name: the environment, one of the repository's.
    :return: the folder of the settings.
    """
    files = folder / "environments"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    shutil.copy(ENVIRONMENTS / "_common.yaml", files)
    for file, over in {f"{name}.yaml": changes, "_project.yaml": project or {}}.items():
        document = yaml.safe_load((ENVIRONMENTS / file).read_text())
        (files / file).write_text(yaml.safe_dump(merged(document, dict(over))))
    return files
