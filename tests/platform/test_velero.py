"""The real Velero on a real API and an emulated S3: a namespace that is lost comes back as it was.

``VET_TEST_VELERO`` names a folder with Velero's program, ``velero``, and in ``plugins/`` that of velero-plugin-for-aws. No pod need run: the
program runs here. Volumes are not part of it: their snapshots need a CSI driver.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from operations.cluster.object_backups import WHOLE, RestoreObjects, backups, restore, take
from operations.devtools.emulator import Emulator
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.local_cluster import client
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from settings.helm_values import values
from settings.namespaces import VELERO
from settings.velero_values import schedule
from tests.unit.operations.cluster import with_velero

FOLDER = "VET_TEST_VELERO"
BUCKET = "vet-dev-velero-123456789012-us-east-1"
TEAM, BESIDE = "velero-test-team", "velero-test-team-of-yesterday"
LABELS = {"app": "shop"}
POD = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "web", "image": "registry.example.com/shop:1"}]},
}
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "by-hand"}, "stringData": {"password": "kept"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hours"}, "data": {"monday": "8-18"}},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "shop"}},
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": {"selector": LABELS, "ports": [{"port": 80}]}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": POD}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "shop"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
     "subjects": [{"kind": "ServiceAccount", "name": "shop", "namespace": TEAM}]},
    {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "closed"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-a-database", "labels": {"cnpg.io/cluster": "database"}}, "data": {}},
]  # fmt: skip
DATABASES = "of-a-database"
ITSELF = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "velero"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"name": "velero"}},
        "template": {
            "metadata": {"labels": {"name": "velero"}},
            "spec": {"containers": [{"name": "velero", "image": "docker.io/velero/velero:v1"}]},
        },
    },
}
"""Velero looks at its own Deployment before it restores anything."""


def written(kubernetes: Kubernetes, namespace: str) -> dict[str, Any]:
    """What people wrote into a namespace: its objects by kind and name, without what the API and Velero add."""
    kinds = "secrets,configmaps,serviceaccounts,services,deployments,rolebindings,networkpolicies"
    items = json.loads(kubernetes.run("get", kinds, "--namespace", namespace, "--output=json"))["items"]
    specs = {}
    for item in items:
        if item["metadata"]["name"] in ("kube-root-ca.crt", "default"):
            continue
        spec = {key: value for key, value in item.get("spec", {}).items() if key not in ("clusterIP", "clusterIPs")}
        kept = {key: item[key] for key in ("data", "type", "roleRef", "subjects") if key in item}
        specs[f"{item['kind']}/{item['metadata']['name']}"] = {**kept, "spec": spec}
    return specs


@pytest.fixture(scope="module")
def programs() -> Path:
    """Velero's programs; skips where there are none."""
    folder = Path(os.environ.get(FOLDER, "/nonexistent"))
    if not (folder / "velero").exists():
        pytest.skip(
            f"set {FOLDER} to a folder with velero and plugins/velero-plugin-for-aws, of their releases for this machine"
        )
    return folder


@pytest.fixture(scope="module")
def port() -> int:
    """Where Velero shows its measurements."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """dev with Velero on."""
    return with_velero("dev")


@pytest.fixture(scope="module")
def kubectl(
    programs: Path,
    port: int,
    kubernetes: Kubernetes,
    cluster: Cluster,
    aws: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kubectl]:
    """kubectl in Velero's namespace, while Velero runs with the stack's schedule."""
    client(aws, "s3", "us-east-1").create_bucket(Bucket=BUCKET)
    known = bool(kubernetes.run("get", "crd", "backups.velero.io", "--ignore-not-found", "--output=name"))
    log = tmp_path_factory.mktemp("velero") / "velero.log"
    environment = {**aws.environment, "KUBECONFIG": str(kubernetes.kubeconfig), "VELERO_NAMESPACE": VELERO}
    subprocess.run([programs / "velero", "install", "--crds-only"], env=environment, check=True, capture_output=True)
    kubectl = Kubectl(str(kubernetes.kubeconfig), VELERO, kubernetes.kubectl)
    kubernetes.run("create", "namespace", VELERO)
    try:
        for manifest in (location(aws), scheduled(cluster), ITSELF):
            kubectl.apply(manifest)
        command = [
            str(programs / "velero"),
            "server",
            f"--plugin-dir={programs / 'plugins'}",
            f"--metrics-address=127.0.0.1:{port}",
        ]
        with log.open("w") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as server:
            try:
                _until_ready(kubectl, server, log)
                yield kubectl
                _let_go(kubernetes, cluster)
            finally:
                server.terminate()
    finally:
        for name in (TEAM, BESIDE, VELERO):
            kubernetes.run("delete", "namespace", name, "--ignore-not-found", "--timeout=120s")
        if not known:
            kubernetes.run("delete", "crd", "--selector=component=velero")


def location(aws: Emulator) -> dict[str, Any]:
    """Where backups go, as the chart's object has it, but for the emulator's address."""
    config = {"region": "us-east-1", "s3ForcePathStyle": "true", "s3Url": aws.url}
    return {
        "apiVersion": "velero.io/v1",
        "kind": "BackupStorageLocation",
        "metadata": {"name": "default", "namespace": VELERO},
        "spec": {"provider": "aws", "default": True, "objectStorage": {"bucket": BUCKET}, "config": config},
    }


def scheduled(cluster: Cluster) -> dict[str, Any]:
    """The schedule, as the chart makes it of the stack's value."""
    value = schedule(cluster.environment)
    return {
        "apiVersion": "velero.io/v1",
        "kind": "Schedule",
        "metadata": {"name": WHOLE, "namespace": VELERO, "annotations": value["annotations"]},
        "spec": {"schedule": value["schedule"], "template": value["template"]},
    }


def _let_go(kubernetes: Kubernetes, cluster: Cluster) -> None:
    """What the chart's job does before the release goes. Without it the namespace does not end, and the test neither."""
    (job,) = values("velero", cluster.environment.cluster.release_set)["extraObjects"]
    kubernetes.run(*job["spec"]["template"]["spec"]["containers"][0]["args"])


def _until_ready(kubectl: Kubectl, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        location = kubectl.find("backupstoragelocation.velero.io", "default") or {}
        if location.get("status", {}).get("phase") == "Available":
            return
        assert server.poll() is None, f"Velero ended:\n{log.read_text()[-3000:]}"
        time.sleep(1)
    pytest.fail(f"Velero does not find its bucket within a minute:\n{log.read_text()[-3000:]}")


@pytest.fixture
def team(kubernetes: Kubernetes, kubectl: Kubectl) -> dict[str, Any]:
    """A namespace that people filled; what they wrote."""
    kubernetes.run("create", "namespace", TEAM)
    there = replace(kubectl, namespace=TEAM)
    for manifest in OBJECTS:
        there.apply(manifest)
    return written(kubernetes, TEAM)


@pytest.fixture(autouse=True)
def taken_away(kubernetes: Kubernetes) -> Iterator[None]:
    """The namespaces of a test go with it."""
    yield
    for name in (TEAM, BESIDE):
        kubernetes.run("delete", "namespace", name, "--ignore-not-found", "--timeout=120s")


def test_velero_takes_the_stack_s_schedule(kubectl: Kubectl) -> None:
    end = time.monotonic() + 60
    while not (phase := (kubectl.find("schedule.velero.io", WHOLE) or {}).get("status", {}).get("phase")):
        assert time.monotonic() < end, "Velero has not looked at the schedule within a minute"
        time.sleep(1)
    assert phase == "Enabled"


def test_a_namespace_that_is_lost_comes_back_as_it_was(
    team: dict[str, Any], kubectl: Kubectl, kubernetes: Kubernetes, cluster: Cluster
) -> None:
    take(kubectl, "before-the-move")
    assert [(each.name, each.phase) for each in backups(kubectl)] == [("before-the-move", "Completed")]
    kubernetes.run("delete", "namespace", TEAM, "--timeout=120s")
    restore(cluster, kubectl, RestoreObjects(TEAM), auto_approve=True)
    assert written(kubernetes, TEAM) == {key: value for key, value in team.items() if DATABASES not in key}


def test_what_is_there_stays_as_it_is(
    team: dict[str, Any], kubectl: Kubectl, kubernetes: Kubernetes, cluster: Cluster
) -> None:
    take(kubectl, "before-a-mistake")
    kubernetes.run("--namespace", TEAM, "patch", "configmap", "hours", "--patch", '{"data":{"monday":"9-12"}}')
    kubernetes.run("--namespace", TEAM, "delete", "secret", "by-hand")
    restore(cluster, kubectl, RestoreObjects(TEAM, "before-a-mistake"), auto_approve=True)
    now = written(kubernetes, TEAM)
    assert now["Secret/by-hand"] == team["Secret/by-hand"], "what was deleted comes back"
    assert now["ConfigMap/hours"]["data"] == {"monday": "9-12"}, "what was changed since stays"


def test_a_namespace_comes_back_beside_itself(
    team: dict[str, Any], kubectl: Kubectl, kubernetes: Kubernetes, cluster: Cluster
) -> None:
    take(kubectl, "for-a-look")
    restore(cluster, kubectl, RestoreObjects(TEAM, "for-a-look", BESIDE), auto_approve=True)
    assert written(kubernetes, TEAM) == team, "the first one is as it was"
    beside = written(kubernetes, BESIDE)
    assert beside.keys() == {key for key in team if DATABASES not in key}
    assert beside["RoleBinding/shop"]["subjects"][0]["namespace"] == BESIDE, "it would give rights in the first one"


def test_a_namespace_that_no_backup_has_is_a_failure(kubectl: Kubectl, cluster: Cluster) -> None:
    take(kubectl, "of-others")
    with pytest.raises(Failure, match="has nothing of a namespace nobody-s"):
        restore(cluster, kubectl, RestoreObjects("nobody-s", "of-others"), auto_approve=True)


def test_it_measures_its_last_backup_by_the_name_that_the_alert_asks_for(kubectl: Kubectl, port: int) -> None:
    """The alert is played in tests/unit/services with measurements of this name."""
    take(kubectl, "to-be-measured")
    measured = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    assert f'velero_backup_last_status{{schedule="{WHOLE}"}} 1\n' in measured, "the alert would never fire"
