"""The runbooks' commands that only mean something where pods run."""

import os
import subprocess

from tests.pods.conftest import Platform
from tests.runbooks import follow


def run(platform: Platform, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a page's command as an administrator."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={**os.environ, "KUBECONFIG": str(platform.kubernetes.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_recovered_database_is_watched_and_the_application_started(platform: Platform) -> None:
    wait = ("wait", "backups.postgresql.cnpg.io", "--all", "--for=jsonpath={.status.phase}=completed", "--timeout=180s")
    platform.kubectl(*wait)  # one that is being taken is not whole yet
    outputs = follow("lost-data", "pods", lambda command: run(platform, command), {})
    (backups,) = (text for command, text in outputs.items() if "get backups" in command)
    assert "completed" in backups, f"no base backup is whole: {backups}"
    platform.kubectl("rollout", "status", "deployment/vet-app", "--timeout=5m")


def test_a_base_backup_is_taken_after_etcd_went_back(platform: Platform) -> None:
    (output,) = follow("lost-quorum", "pods", lambda command: run(platform, command), {}).values()
    name = output.split()[0]
    platform.kubectl("wait", name, "--for=jsonpath={.status.phase}=completed", "--timeout=180s")
