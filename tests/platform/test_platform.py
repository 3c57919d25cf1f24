"""The Helm stack on a real Kubernetes API, by the real Terraform, Helm and Kubernetes providers."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.devtools.emulator import Emulator, local_cluster
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from settings.names import Names, infrastructure_stack, state_key
from settings.namespaces import namespaces
from tests.platform.conftest import CANARY, client


@dataclass(frozen=True)
class Refusals:
    """What a plan says before there is a cluster."""

    nothing_deployed: str
    not_ready: str


@pytest.fixture(scope="session")
def refusals(stack: Stack, request: pytest.FixtureRequest) -> Refusals:
    """Plans before anything is deployed, and before the cluster is ready."""
    stack.run("init", "-input=false")
    stack.run("validate")
    nothing = stack.run("plan", "-input=false", expect=(0, 1))
    request.getfixturevalue("environment_deployed")
    early = stack.run("plan", "-input=false", expect=(0, 1))
    return Refusals(*(" ".join(plan.stderr.replace("│", " ").split()) for plan in (nothing, early)))


@pytest.fixture(scope="session")
def applied(stack: Stack, refusals: Refusals, aws: Emulator, names: Names, kubernetes: Kubernetes) -> Iterator[str]:
    """The stack, applied to the cluster; what Terraform printed at its most talkative."""
    local_cluster.publish_certificate_authority(aws, names, kubernetes.certificate_authority)
    talkative = Stack(stack.folder, {**stack.environment, "TF_LOG": "debug"})
    with kubernetes.without_webhooks():
        try:
            answer = talkative.run("apply", "-auto-approve", "-input=false")
            yield answer.stdout + answer.stderr
        finally:
            if stack.state():
                stack.run("destroy", "-auto-approve", "-input=false")


def test_a_stack_that_was_never_deployed_is_named_in_one_error(refusals: Refusals, names: Names) -> None:
    assert refusals.nothing_deployed.count("Error:") == 1, refusals.nothing_deployed
    assert f"deploy_{infrastructure_stack(names.environment.name)}_first" in refusals.nothing_deployed


def test_a_cluster_that_is_not_there_yet_is_one_error_that_says_what_comes_first(
    refusals: Refusals, names: Names
) -> None:
    assert refusals.not_ready.count("Error:") == 1, refusals.not_ready
    assert f"The cluster of {names.environment.name} is not there yet" in refusals.not_ready
    assert f"make deploy ENV={names.environment.name}" in refusals.not_ready


def test_everything_is_on_the_cluster(applied: str, kubernetes: Kubernetes, names: Names) -> None:
    assert namespaces(names.environment.application.namespace).keys() <= kubernetes.names("namespaces")
    assert {"standard"} == kubernetes.names("storageclasses")
    assert {"letsencrypt-staging", "letsencrypt-production"} == kubernetes.names("clusterissuers")
    assert {"database"} == kubernetes.names("clusters.postgresql.cnpg.io")
    assert {"rancher", "cert-manager", "vet-app"} <= kubernetes.names("deployments")
    assert {"rancher", "vet-app"} <= kubernetes.names("ingresses")
    assert {"read", "deploy"} <= kubernetes.names("serviceaccounts")


def test_a_second_plan_changes_nothing(applied: str, stack: Stack) -> None:
    assert stack.changes() == []


def test_no_secret_is_in_the_json_the_state_the_plan_or_the_log(
    applied: str, stack: Stack, kubernetes: Kubernetes, aws: Emulator, names: Names
) -> None:
    """Secrets of AWS, and those that were made in the cluster."""
    secrets = {
        value.decode()
        for name, contents in kubernetes.secrets().items()
        if name in ("vet-app/vet-app-secret", "cattle-system/bootstrap-secret", "cattle-system/rancher-password")
        for value in contents.values()
    }
    assert secrets, "the application's Secret was not made in the cluster"
    private = {line for line in kubernetes.exec_credential().split("\\n") if len(line) == 64}
    assert private, "the administrator's credentials have no key to look for"
    stack.run("plan", "-out=tfplan", "-input=false")
    everything = {
        "cdk.tf.json": (stack.folder / "cdk.tf.json").read_text(),
        "state": _stored_state(aws, names, stack),
        "plan": _unpacked(stack.folder / "tfplan") + stack.run("show", "-json", "tfplan").stdout,
        "log": applied,
    }
    for where, text in everything.items():
        leaks = [secret[:6] + "…" for secret in {CANARY, *secrets, *private} if secret in text]
        assert not leaks, f"{where} of {stack.name} holds {leaks}"


def _stored_state(aws: Emulator, names: Names, stack: Stack) -> str:
    """The state as it lies in the bucket."""
    bucket, key = names.project.state_bucket, state_key(stack.name)
    body: bytes = client(aws, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def _unpacked(plan: Path) -> str:
    with zipfile.ZipFile(plan) as archive:
        return "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_destroying_the_helm_stack_leaves_no_object(
    applied: str, stack: Stack, kubernetes: Kubernetes, names: Names
) -> None:
    stack.run("destroy", "-auto-approve", "-input=false")
    assert stack.state() == []
    own = namespaces(names.environment.application.namespace).keys()
    assert not own & kubernetes.names("namespaces")
    assert not kubernetes.names("storageclasses")
    assert not kubernetes.names("persistentvolumes")
    assert not kubernetes.names("deployments"), "Deployments of a release are left"
