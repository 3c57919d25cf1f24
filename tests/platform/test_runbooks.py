"""The runbooks' commands for the cluster, on objects as the platform has them."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from operations.devtools.emulator.kubernetes import Kubernetes
from tests.runbooks import follow

OBJECTS = Path(__file__).with_name("objects.yaml")
"""What the Helm stack would have made, as far as the pages name it, and what is stuck in them."""

CUSTOM_OBJECTS = OBJECTS.with_name("custom_objects.yaml")
"""What its operators would have made."""

KEYS = {"SECRET_KEY": "old", "SECRET_KEY_FALLBACKS": "next"}


class Reader:
    """Somebody with an administrator's kubeconfig."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self.kubernetes = kubernetes

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command, with a URL to type where one is asked for."""
        path = f"{Path(self.kubernetes.kubectl).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            env={**os.environ, "KUBECONFIG": str(self.kubernetes.kubeconfig), "PATH": path},
            input="smtp://user:password@mail.example:587?tls=yes",
            capture_output=True,
            text=True,
        )

    def follow(self, page: str, values: Mapping[str, str | Callable[[], str]] | None = None) -> dict[str, str]:
        """The page's commands for the cluster, and what each printed."""
        return follow(page, "platform", self.run, values or {})


@pytest.fixture(scope="module")
def reader(kubernetes: Kubernetes) -> Iterator[Reader]:
    """With the objects in the cluster, which go again at the end."""
    present = {"vet-app", "cattle-system"} & kubernetes.names("namespaces")
    assert not present, f"the cluster is not empty: it has the namespaces {present}"
    kubernetes.run("apply", "--filename", str(OBJECTS))
    try:
        kubernetes.run("wait", "--for=condition=established", "crd", "--selector=runbooks=yes", "--timeout=60s")
        kubernetes.run("apply", "--filename", str(CUSTOM_OBJECTS))
        kubernetes.run("--namespace=vet-app", "rollout", "status", "deployment/vet-app", "--timeout=90s")
        yield Reader(kubernetes)
    finally:
        kubernetes.run("delete", "--ignore-not-found", "--filename", str(OBJECTS), "--timeout=90s")


def secret(kubernetes: Kubernetes, name: str) -> dict[str, str]:
    """Contents of one of the application's Secrets."""
    return {key: value.decode() for key, value in kubernetes.secrets()[f"vet-app/{name}"].items()}


def test_what_fills_etcd_is_found(reader: Reader) -> None:
    (text,) = reader.follow("lost-quorum").values()
    assert "_objects{" in text, text


def test_access_is_taken(reader: Reader) -> None:
    outputs = reader.follow("access")
    assert "Ready" in outputs["kubectl get nodes"]
    assert "read" not in reader.kubernetes.names("serviceaccounts")


def test_what_a_hardened_cluster_would_refuse_is_found(reader: Reader) -> None:
    level = "pod-security.kubernetes.io/enforce"
    try:
        reader.follow("cis-hardening", {"NAMESPACE": "kube-public"})
        label = f"jsonpath={{.metadata.labels.{level.replace('.', chr(92) + '.')}}}"
        assert reader.kubernetes.run("get", "namespace", "kube-public", "--output", label) == "baseline"
    finally:
        reader.kubernetes.run("label", "namespace", "kube-public", f"{level}-")


def test_an_agent_is_emptied_and_a_server_s_node_deleted(reader: Reader) -> None:
    pods = "jsonpath={.items[0].spec.nodeName}"
    node = reader.kubernetes.run("--namespace=vet-app", "get", "pods", "--selector=app=vet-app", "--output", pods)
    try:
        reader.follow("adding-agents", {"NODE": node})
        where = ["get", "pods", "--namespace=vet-app", f"--field-selector=spec.nodeName={node}", "--output=name"]
        assert not reader.kubernetes.run(*where), f"pods are left on {node}"
    finally:
        reader.kubernetes.run("uncordon", node)
    reader.follow("changing-instance-types", {"NAME": "vet-runbooks-going"})
    assert "vet-runbooks-going" not in reader.kubernetes.names("nodes")


def test_rancher_s_first_password(reader: Reader) -> None:
    outputs = list(reader.follow("rancher").values())
    assert outputs[0] == "first password\n"
    left = reader.kubernetes.secrets().keys()
    assert not left & {"cattle-system/bootstrap-secret", "cattle-system/rancher-password"}


def test_the_application_s_key_is_swapped_and_renewed(reader: Reader) -> None:
    reader.follow("rotating-the-application-key")
    now = secret(reader.kubernetes, "vet-app-secret")
    assert now["SECRET_KEY"] == KEYS["SECRET_KEY_FALLBACKS"]
    assert len(now["SECRET_KEY_FALLBACKS"]) == 64
    assert now["SECRET_KEY_FALLBACKS"] not in KEYS.values()


def test_the_application_is_watched_scaled_and_rolled_back(reader: Reader) -> None:
    reader.kubernetes.run("--namespace=vet-app", "set", "env", "deployment/vet-app", "VERSION=2")
    reader.follow("shipping-the-application")
    shown = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].env}"
    assert reader.kubernetes.run("--namespace=vet-app", "get", "deployment/vet-app", "--output", shown).strip() == "4"
    assert secret(reader.kubernetes, "vet-app-email")["EMAIL_URL"].startswith("smtp://")
    assert "vet-app-migration" not in reader.kubernetes.names("jobs")
    assert "vet-app" in reader.kubernetes.names("podmonitors.monitoring.coreos.com")


def test_a_database_that_does_not_run_is_taken_away(reader: Reader) -> None:
    reader.follow("lost-data")
    assert "database" not in reader.kubernetes.names("clusters.postgresql.cnpg.io"), "it was not taken away"
    replicas = reader.kubernetes.run(
        "--namespace=vet-app", "get", "deployment/vet-app", "--output=jsonpath={.spec.replicas}"
    )
    assert replicas == "0", "the application writes on"


def test_what_holds_up_a_destruction_is_found_and_freed(reader: Reader) -> None:
    kubernetes = reader.kubernetes
    kubernetes.run("--namespace=cattle-system", "delete", "configmap", "stuck", "--wait=false")
    outputs = reader.follow("destroying-an-environment", {"KIND NAME": "configmap stuck", "pv NAME": "pv vet-runbooks"})
    assert "vet-runbooks" in outputs["kubectl get persistentvolumes,persistentvolumeclaims -A"]
    policy = kubernetes.run("get", "pv", "vet-runbooks", "--output=jsonpath={.spec.persistentVolumeReclaimPolicy}")
    assert policy == "Delete"
    assert "stuck" not in kubernetes.names("configmaps")
