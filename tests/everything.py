"""One environment with everything on that is off by default: for the suites that must see every resource.

``staging`` is made from ``dev.yaml``, so that the shipped environments stay as they are. What a new setting switches on belongs into
``ENVIRONMENT`` or ``PROJECT``; a test fails as long as a switch is missing here (tests/unit/settings/test_everything.py).
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from settings import Settings, load
from settings.documents import merged
from settings.loader import ENVIRONMENTS

NAME = "staging"

PROJECT: dict[str, Any] = {
    "github": {"repository": "clinic/platform"},
    "replica_region": "us-west-2",
}

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnuLIqriBtSzn1ayt2WvEXUextsV/h1tggansAHo0Mg ops"
"""Of a pair whose private half was thrown away."""

OFFICE = ["203.0.113.0/24", "198.51.100.0/24"]
ISSUER = "https://0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0.tokens.sts.global.api.aws"
PEOPLE = "arn:aws:iam::123456789012:role/"

SCRIPT = "#!/bin/sh\ntrue ${ROLE}\n"

ENVIRONMENT: dict[str, Any] = {
    "deletion_protection": True,
    "schedule": {"enabled": True},
    "budget": {"enabled": True},
    "alarms": {"enabled": True, "emails": ["oncall@example.com"]},
    "dashboard": {"enabled": True},
    "backups": {
        "volume_snapshots": {"enabled": True},
        "replica_region": "us-west-2",
        "database_clone_at": "2026-11-24T09:30:00Z",
    },
    "network": {"flow_logs": True, "endpoints": ["ecr.api", "ssm", "ssmmessages"]},
    "node_logs": {"enabled": True},
    "services": {
        "monitoring": {
            "enabled": True,
            "alerts": {
                "emails": ["oncall@example.com"],
                "smtp": {
                    "server": "email-smtp.us-east-1.amazonaws.com:587",
                    "sender": "alerts@example.com",
                    "username": "alerts",
                },
                "webhook": True,
            },
        },
        "logs": {"enabled": True, "left_out": ["kube-system"]},
        "velero": {"enabled": True, "left_out": ["scratch"]},
    },
    "cluster": {"hardening": "cis"},
    "agents": {"spot": True, "autoscaler": True},
    "pools": {
        "reports": {
            "instance_types": ["t3.large", "t3a.large"],
            "min_count": 1,
            "max_count": 2,
            "availability_zones": ["b"],
            "extra_volumes": [{"path": "/mnt/reports", "gib": 20}],
        },
        "batch": {
            "instance_types": ["c6i.xlarge", "c5.xlarge"],
            "min_count": 2,
            "max_count": 4,
            "spot": True,
            "on_demand_base": 1,
            "labels": {"workload": "batch"},
            "taints": [{"key": "workload", "value": "batch"}],
        },
    },
    "load_balancer": {"access_logs": True},
    "application": {
        "autoscaling": {"max_replicas": 4},
        "email_reminders": True,
        "email_from": "hello@clinic.example",
        "email_reply_to": "desk@clinic.example",
        "email_relay": "10.0.10.25/32",
        "attachments_in_s3": True,
        "attachments_quota_mb": 4096,
        "clinic": {"country": "US", "units": "us"},
    },
    "rke2_config": {
        "servers": {"kube-controller-manager-arg": ["terminated-pod-gc-threshold=500"]},
        "agents": {"node-label": ["clinic=main"]},
    },
    "registries": {
        "mirrors": {"docker.io": {"endpoints": ["https://mirror.example.com"], "rewrite": {"^rancher/(.*)": "m/$1"}}},
        "credentials": {"mirror.example.com": "mirror"},
    },
    "proxy": {"url": "http://proxy.example.com:3128", "direct": ["registry.example.com"]},
    "extra_user_data": {
        kind: {"before_join": {"10-first": SCRIPT}, "after_join": {"90-last": SCRIPT}} for kind in ("servers", "agents")
    },
    "tags": {"Team": "platform"},
    "access": {
        "ssh": {"public_key": KEY, "allowed_cidrs": OFFICE, "jump_host": {"enabled": True}},
        "rancher": {"allowed_cidrs": [*OFFICE, "192.0.2.7/32", "192.0.2.8/32", "192.0.2.9/32"]},
        "api": {"access": "public", "allowed_cidrs": OFFICE},
        "operators": [f"{PEOPLE}operator"],
        "identity": {"issuer": ISSUER},
        "principals": {role: [f"{PEOPLE}{role}"] for role in ("admin", "deploy", "read")},
    },
}


PARTS = ("access", "agents", "application", "backups", "network")
"""Sections that hold several switches."""


def switches() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Each switch alone, by its key: what it changes in an environment, and in the project."""
    changes: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for section, value in ENVIRONMENT.items():
        if section in PARTS:
            changes |= {f"{section}.{name}": ({section: {name: part}}, {}) for name, part in value.items()}
        else:
            changes[section] = ({section: value}, {})
    return changes | {f"project: {name}": ({}, {name: value}) for name, value in PROJECT.items()}


def everything(folder: Path, *, name: str = NAME, project: dict[str, Any] | None = None, **more: Any) -> Settings:
    """The repository's environments in ``folder``, with one more that has everything on.

    :param name: of the environment, up to 12 characters.
    :param project: further settings of the project.
    :param more: further settings of the environment, such as ``cluster={"release_set": "current"}``.
    """
    files = folder / "environments"
    shutil.copytree(ENVIRONMENTS, files)
    _change(files / "_project.yaml", files / "_project.yaml", merged(PROJECT, project or {}))
    hosts = {"application": "vet-app", "rancher": "rancher", "grafana": "grafana"}
    hosts = {key: f"{first}.{name}.{{domain}}" for key, first in hosts.items()}
    _change(files / "dev.yaml", files / f"{name}.yaml", merged(merged(ENVIRONMENT, {"hosts": hosts}), more))
    return load(files)


def _change(source: Path, target: Path, changes: dict[str, Any]) -> None:
    target.write_text(yaml.safe_dump(merged(yaml.safe_load(source.read_text()), changes)))


ACCESS: dict[str, Any] = ENVIRONMENT["access"]
"""Ways in that are closed unless a setting opens them."""


def write(folder: Path, source: Path = ENVIRONMENTS, **more: dict[str, Any]) -> Path:
    """Copy environments to ``folder``, and add ``staging``, a copy of dev, and ``full`` with everything on but the ways in.

    :param source: folder with a ``dev.yaml``.
    :param more: further sections of ``full``, such as ``access=ACCESS``.
    :return: the folder.
    """
    shutil.copytree(source, folder)
    text = (folder / "dev.yaml").read_text()
    (folder / "staging.yaml").write_text(text.replace(".dev.{domain}", ".staging.{domain}"))
    switches = {
        name: section for name, section in ENVIRONMENT.items() if name not in ("access", "deletion_protection", "tags")
    }
    full = merged(yaml.safe_load(text.replace(".dev.{domain}", ".full.{domain}")), merged(switches, more))
    (folder / "full.yaml").write_text(yaml.safe_dump(full))
    return folder
