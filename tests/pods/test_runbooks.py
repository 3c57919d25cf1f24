"""The runbooks' commands that only mean something where pods run."""

import os
import subprocess

from tests.pods.conftest import Platform
from tests.runbooks import follow


def test_a_recovered_database_is_watched_and_the_application_started(platform: Platform) -> None:
    def run(command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            env={**os.environ, "KUBECONFIG": str(platform.kubernetes.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )

    said = follow("lost-data", "pods", run, {})
    (backups,) = (text for command, text in said.items() if "get backups" in command)
    assert "completed" in backups, f"no base backup is whole: {backups}"
    platform.kubectl("rollout", "status", "deployment/vet-app", "--timeout=5m")
