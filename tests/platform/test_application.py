"""The application's objects in a real Kubernetes API, by the real provider: made, unchanged, changed, and gone."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cdktf import App, LocalBackend, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_kubernetes.namespace_v1 import NamespaceV1
from cdktf_cdktf_provider_kubernetes.provider import KubernetesProvider

from modules.platform.cluster import FOREIGN_METADATA
from modules.platform.vet_application.application import VetApplication
from operations.devtools.emulator import Emulator
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from settings import load
from settings.names import Names
from settings.namespaces import namespaces
from tests.platform.conftest import CANARY, client, make_repository

STACK, NAMESPACE, REPOSITORY = "vet-prod-helm", "vet-app", "vet-prod/vet-app"
OLD, NEW = "aaaaaaaaaaaa-python3.9", "bbbbbbbbbbbb-python3.9"
DIGEST = {OLD: f"sha256:{'a' * 64}", NEW: f"sha256:{'b' * 64}"}

Synthesise = Callable[..., None]


@pytest.fixture(scope="module")
def images(aws: Emulator) -> None:
    """A registry with two images."""
    registry, kind = client(aws, "ecr"), "application/vnd.oci.image.manifest.v1+json"
    make_repository(aws, REPOSITORY)
    for tag, digest in DIGEST.items():
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": digest, "size": 1}, "layers": []}
        registry.put_image(
            repositoryName=REPOSITORY,
            imageManifest=json.dumps(manifest),
            imageTag=tag,
            imageDigest=digest,  # moto gives all the same if none is named
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the module's output and state."""
    return tmp_path_factory.mktemp("application")


@pytest.fixture(scope="module")
def synthesise(folder: Path, kubernetes: Kubernetes) -> Synthesise:
    """Makes the application's stack of prod for this cluster, with some settings changed."""

    def synthesis(**changes: Any) -> None:
        settings = load()
        environment = settings.environment("prod")
        application = environment.application.model_copy(update=changes)
        environment = environment.model_copy(update={"application": application})
        app = App(outdir=str(folder / "cdktf.out"))
        stack = TerraformStack(app, STACK)
        LocalBackend(stack, path=str(folder / "terraform.tfstate"))
        AwsProvider(stack, "aws", region="us-east-1")
        KubernetesProvider(
            stack,
            "kubernetes",
            config_path=str(kubernetes.kubeconfig),
            ignore_annotations=FOREIGN_METADATA,
            ignore_labels=FOREIGN_METADATA,
        )
        labels = namespaces(NAMESPACE)[NAMESPACE].labels
        namespace = NamespaceV1(stack, "namespace", metadata={"name": NAMESPACE, "labels": labels})
        VetApplication(
            stack,
            "vet_app",
            names=Names(settings.project, environment),
            repository=REPOSITORY,
            namespace=NAMESPACE,
            depends_on=[namespace],
        )
        app.synth()

    return synthesis


@pytest.fixture(scope="module")
def application(
    folder: Path, synthesise: Synthesise, aws: Emulator, images: None, kubernetes: Kubernetes
) -> Iterator[Stack]:
    """The stack, planned without an image and applied with one; destroyed at the end."""
    assert NAMESPACE not in kubernetes.names("namespaces"), f"there is a namespace {NAMESPACE} already"
    synthesise(image=None)
    stack = Stack(folder / "cdktf.out/stacks" / STACK, aws.environment)
    stack.run("init", "-input=false")
    refused = stack.run("plan", "-input=false", expect=(1,))
    assert "pushed_by__make_push_ENV_prod" in refused.stderr, (
        f"the error names no remedy for a missing image: {refused.stderr}"
    )
    synthesise(image=OLD)
    try:
        stack.run("apply", "-auto-approve", "-input=false")
        yield stack
    finally:
        stack.run("destroy", "-auto-approve", "-input=false")


def pods(kubernetes: Kubernetes, app: str) -> list[dict[str, Any]]:
    answer = kubernetes.run("get", "pods", "--namespace", NAMESPACE, "--selector", f"app={app}", "--output", "json")
    return list(json.loads(answer)["items"])


def test_pods_run_on_different_agents_after_the_migration(application: Stack, kubernetes: Kubernetes) -> None:
    web, migration = pods(kubernetes, "vet-app"), pods(kubernetes, "vet-app-migration")
    assert [pod["status"]["phase"] for pod in migration] == ["Succeeded"]
    assert [pod["status"]["phase"] for pod in web] == ["Running"] * 2
    assert len({pod["spec"]["nodeName"] for pod in web}) == 2, "both pods are on one node"
    servers = kubernetes.run("get", "nodes", "--selector", "node-role.kubernetes.io/control-plane", "--output", "name")
    assert not [pod["spec"]["nodeName"] for pod in web if pod["spec"]["nodeName"] in servers]
    finished = migration[0]["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    assert all(pod["metadata"]["creationTimestamp"] >= finished for pod in web), "the rollout did not wait"


def test_the_api_takes_every_object_as_it_is_meant(application: Stack, kubernetes: Kubernetes) -> None:
    """A provider may send more than it is told (``false`` for what is left out): ask the cluster."""
    (pod, _) = pods(kubernetes, "vet-app")
    (container,) = pod["spec"]["containers"]
    assert container["image"].endswith(f"vet-prod/vet-app@{DIGEST[OLD]}")
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["enableServiceLinks"] is False
    assert not [volume for volume in pod["spec"]["volumes"] if "token" in volume["name"]], "a token is mounted"
    modes = [volume["projected"]["defaultMode"] for volume in pod["spec"]["volumes"] if "projected" in volume]
    assert modes == [0o440] * len(modes)


def test_planning_again_changes_nothing(application: Stack) -> None:
    assert application.changes() == []


def test_a_restart_and_a_scaling_by_hand_stay(application: Stack, kubernetes: Kubernetes) -> None:
    kubernetes.run("rollout", "restart", "deployment/vet-app", "--namespace", NAMESPACE)
    kubernetes.run("scale", "deployment/vet-app", "--replicas=3", "--namespace", NAMESPACE)
    kubernetes.run("rollout", "status", "deployment/vet-app", "--namespace", NAMESPACE, "--timeout=90s")
    assert application.changes() == []


def test_no_secret_is_in_state_or_plan(application: Stack, kubernetes: Kubernetes, folder: Path) -> None:
    for name in ("vet-app-secret", "database-app", "vet-app-email"):
        kubernetes.run("create", "secret", "generic", name, f"--from-literal=key={CANARY}", "--namespace", NAMESPACE)
    plan = folder / "plan"
    application.run("plan", "-input=false", f"-out={plan}")
    written = [application.run("show", "-json", str(plan)).stdout, (folder / "terraform.tfstate").read_text()]
    written += [path.read_text() for path in folder.rglob("cdk.tf.json")]
    for text in written:
        assert CANARY not in text
        assert base64.b64encode(CANARY.encode()).decode() not in text


def test_a_new_version_migrates_and_then_replaces_the_pods(
    application: Stack, synthesise: Synthesise, kubernetes: Kubernetes
) -> None:
    before = {pod["metadata"]["name"] for pod in pods(kubernetes, "vet-app-migration")}
    synthesise(image=NEW, log_level="WARNING", email_reminders=True)
    application.run("apply", "-auto-approve", "-input=false")
    after = pods(kubernetes, "vet-app-migration")
    assert kubernetes.names("cronjobs") == {"vet-app-reminders"}, "e-mail was switched on as well"
    assert before.isdisjoint(pod["metadata"]["name"] for pod in after), "no other migration ran"
    kubernetes.run("rollout", "status", "deployment/vet-app", "--namespace", NAMESPACE, "--timeout=90s")
    template = json.loads(kubernetes.run("get", "deployment/vet-app", "--namespace", NAMESPACE, "--output", "json"))[
        "spec"
    ]
    (container,) = template["template"]["spec"]["containers"]
    assert container["image"].endswith(f"vet-prod/vet-app@{DIGEST[NEW]}")
    assert application.changes() == []


def web(kubernetes: Kubernetes) -> dict[str, Any]:
    """The Deployment."""
    deployment: dict[str, Any] = json.loads(
        kubernetes.run("get", "deployment/vet-app", "--namespace", NAMESPACE, "--output", "json")
    )
    return deployment


def deployed(application: Stack, kubernetes: Kubernetes) -> int:
    """Apply, see that a plan changes nothing afterwards; the number of pods that the Deployment wants then."""
    application.run("apply", "-auto-approve", "-input=false")
    assert application.changes() == []
    return int(web(kubernetes)["spec"]["replicas"])


def test_a_number_given_by_hand_stays_where_nothing_scales_until_the_setting_changes(
    application: Stack, synthesise: Synthesise, kubernetes: Kubernetes
) -> None:
    def scale(to: int) -> None:
        kubernetes.run("scale", "deployment/vet-app", f"--replicas={to}", "--namespace", NAMESPACE)

    scale(5)
    synthesise(image=OLD, email_reminders=True, autoscaling=None)
    assert deployed(application, kubernetes) == 2, "the autoscaler is gone, and the setting says two"
    scale(4)
    assert application.changes() == []
    synthesise(image=NEW, email_reminders=True, autoscaling=None)
    assert deployed(application, kubernetes) == 4, "a release has taken back what somebody scaled to"
    synthesise(image=NEW, email_reminders=True, autoscaling=None, replicas=3)
    assert deployed(application, kubernetes) == 3, "the setting was changed, and counts"
    scale(0)
    synthesise(image=OLD, email_reminders=True, autoscaling=None, replicas=3)
    assert deployed(application, kubernetes) == 0, "somebody has stopped it"
    synthesise(image=OLD, email_reminders=True, autoscaling=None, replicas=2)
    assert deployed(application, kubernetes) == 2


def test_what_rancher_writes_is_not_taken_back(
    application: Stack, synthesise: Synthesise, kubernetes: Kubernetes
) -> None:
    """A project on the namespace, what Rancher notes on a Deployment, and "Redeploy" in its pages."""
    project, noted = "field.cattle.io/projectId=local:p-abcde", "field.cattle.io/publicEndpoints=[]"
    kubernetes.run("annotate", "namespace", NAMESPACE, project, "lifecycle.cattle.io/create.namespace-auth=true")
    kubernetes.run("label", "namespace", NAMESPACE, "field.cattle.io/projectId=p-abcde")
    kubernetes.run("annotate", "deployment/vet-app", noted, "--namespace", NAMESPACE)
    redeploy = {"spec": {"template": {"metadata": {"annotations": {"cattle.io/timestamp": "2026-11-29T00:00:00Z"}}}}}
    kubernetes.run("patch", "deployment/vet-app", f"--patch={json.dumps(redeploy)}", "--namespace", NAMESPACE)
    kubernetes.run("rollout", "status", "deployment/vet-app", "--namespace", NAMESPACE, "--timeout=90s")
    assert application.changes() == []
    synthesise(image=NEW, email_reminders=True, autoscaling=None, replicas=2)
    deployed(application, kubernetes)
    namespace = json.loads(kubernetes.run("get", "namespace", NAMESPACE, "--output", "json"))["metadata"]
    assert namespace["annotations"]["field.cattle.io/projectId"] == "local:p-abcde"
    assert namespace["labels"]["field.cattle.io/projectId"] == "p-abcde"
    assert web(kubernetes)["metadata"]["annotations"]["field.cattle.io/publicEndpoints"] == "[]"
