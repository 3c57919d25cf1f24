"""Environments beyond the shipped ones: a third, and one with all that is off unless a setting says otherwise."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from settings.loader import ENVIRONMENTS

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlatformTestKeyWhichOpensNothingAtAll00000 ops"

EVERYTHING: dict[str, dict[str, Any]] = {
    "network": {"flow_logs": True},
    "agents": {"spot": True, "autoscaler": True},
    "load_balancer": {"access_logs": True},
    "schedule": {"enabled": True},
    "budget": {"enabled": True},
    "alarms": {"enabled": True},
    "backups": {"volume_snapshots": {"enabled": True}, "replica_region": "us-west-2"},
}
"""All that is off unless a setting says otherwise, by section."""

ACCESS: dict[str, Any] = {
    "api": {"access": "public", "allowed_cidrs": ["203.0.113.0/24"]},
    "ssh": {"public_key": PUBLIC_KEY, "allowed_cidrs": ["203.0.113.0/24"], "jump_host": {"enabled": True}},
}
"""Ways in that are closed unless a setting opens them."""


def write(folder: Path, source: Path = ENVIRONMENTS, **more: dict[str, Any]) -> Path:
    """Copy environments to ``folder``, and add ``staging``, a copy of dev, and ``full`` with everything on and these sections.

    :return: the folder.
    """
    shutil.copytree(source, folder)
    text = (folder / "dev.yaml").read_text()
    (folder / "staging.yaml").write_text(text.replace(".dev.{domain}", ".staging.{domain}"))
    full = yaml.safe_load(text.replace(".dev.{domain}", ".full.{domain}"))
    full |= {name: {**full.get(name, {}), **section} for name, section in {**EVERYTHING, **more}.items()}
    (folder / "full.yaml").write_text(yaml.safe_dump(full))
    return folder
