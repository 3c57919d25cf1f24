"""The platform on a cluster that runs pods, and the clinic's database in it.

These tests move, break and recover what is on the cluster: it must be one that may be filled and emptied. The Helm stack of dev is there
already (``make deploy``, or its charts and objects applied otherwise), and S3 answers where its pods look for it.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from operations.application.archive import Archive
from operations.application.clinic_database import KIND, ClinicDatabase
from operations.application.recovery import archive
from operations.devtools.emulator import REPOSITORY, local_cluster
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from settings.helm_values import merge
from settings.web_identity import DATABASE

NAMESPACE = "vet-app"
CHART = REPOSITORY / "helm-values/charts/database"

ABSENT = (
    "the clinic's database is not on the cluster: apply the Helm stack of dev first (make deploy ENV=dev, or its releases "
    "cloudnative-pg and database, and the objects of vet-dev-helm)"
)


@dataclass(frozen=True)
class Platform:
    """The cluster, kubectl in the application's namespace, and helm."""

    kubernetes: Kubernetes
    kubectl: Kubectl
    helm: str

    @property
    def database(self) -> ClinicDatabase:
        """The database as it is now."""
        database = ClinicDatabase.find(self.kubectl)
        assert database is not None, "the database is gone"
        return database

    def archive(self, name: str) -> Archive:
        """One of the environment's archives."""
        return archive(Cluster("dev"), name)

    def primary(self, cluster: str = DATABASE) -> str:
        """A database's primary."""
        return self.kubectl("get", KIND, cluster, "--output", "jsonpath={.status.currentPrimary}")

    def sql(self, *statements: str, database: str = "vet_app", cluster: str = DATABASE) -> str:
        """What psql prints on the primary; each statement is a transaction."""
        words = [word for each in statements for word in ("-c", each)]
        psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, *words)
        return self.kubectl("exec", self.primary(cluster), "--container", "postgres", "--", *psql).strip()

    def values(self) -> dict[str, Any]:
        """Values of the database's release."""
        command = [self.helm, "get", "values", DATABASE, "--namespace", NAMESPACE, "--output", "json"]
        values: dict[str, Any] = json.loads(self.run(command))
        return values

    def apply(self, changes: Mapping[str, Any], release: str = DATABASE) -> None:
        """What a deploy does with the database's release: its values with changes, by Helm."""
        given = json.dumps(merge(self.values(), changes))
        command = [self.helm, "upgrade", "--install", release, str(CHART), "--namespace", NAMESPACE, "--values", "-"]
        self.run(command, given)

    def ready(self, seconds: int, cluster: str = DATABASE) -> None:
        """Wait until all its instances are."""
        self.kubectl("wait", f"{KIND}/{cluster}", "--for=condition=Ready", f"--timeout={seconds}s")

    def ends_well(self, *words: str) -> bool:
        """Whether kubectl ends with 0."""
        command = [self.kubernetes.kubectl, "--kubeconfig", str(self.kubernetes.kubeconfig), *words]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def run(self, command: list[str], given: str = "") -> str:
        environment = {**os.environ, "KUBECONFIG": str(self.kubernetes.kubeconfig)}
        answer = subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, f"{' '.join(command[:3])}: {answer.stderr}"
        return answer.stdout


@pytest.fixture(scope="session")
def platform() -> Platform:
    """The available platform, on nodes that run pods."""
    try:
        kubernetes, helm = local_cluster.kubernetes(), local_cluster.tool("helm")
    except local_cluster.Absent as absent:
        pytest.skip(str(absent))
    if kubernetes.is_simulated:
        pytest.skip(
            f"the nodes of {local_cluster.KUBECONFIG}'s cluster are simulated: name a cluster whose kubelets run pods"
        )
    os.environ["PATH"] = f"{REPOSITORY / '.tools'}:{os.environ['PATH']}"
    kubectl = Kubectl(str(kubernetes.kubeconfig), NAMESPACE, kubernetes.kubectl)
    if ClinicDatabase.find(kubectl) is None:
        pytest.skip(ABSENT)
    return Platform(kubernetes, kubectl, helm)


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> Iterator[dict[str, float]]:
    """Times of a test by what took them, printed at its end."""
    times: dict[str, float] = {}
    yield times
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        width = shutil.get_terminal_size().columns
        line = ", ".join(f"{what} {took:.1f} s" for what, took in times.items())
        print(f"\n  {request.node.name}: {line}"[: max(width, 200)])


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    """Note how long something takes."""
    start = time.monotonic()
    yield
    seconds[what] = time.monotonic() - start
