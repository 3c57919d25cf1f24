"""What `read` and `deploy` may do, by real requests as them: questions for every kind, and attempts where a right alone does not decide."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from operations.emulator import REPOSITORY
from operations.emulator import platform as at_hand
from operations.emulator.kubernetes import Kubernetes
from operations.failure import Failure

ROOM = "access-proof"
"""A namespace that plays the application's."""

OTHER = "access-proof-rancher"
"""One that plays the platform's."""

Question = tuple[str, str, str]
"""A verb, a kind (with its group after a dot, and what belongs to it after a slash), and a namespace."""

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/vet-prod/vet-app"


@pytest.fixture(scope="module")
def cluster(kubernetes: Kubernetes) -> Iterator[Kubernetes]:
    """The cluster at hand with the chart and an application."""
    for name in (ROOM, OTHER):
        kubernetes.run("create", "namespace", name)
    version = json.loads(kubernetes.run("version", "-o", "json"))["serverVersion"]["gitVersion"]
    chart = REPOSITORY / "helm-values/charts/access"
    values = ["--set", f"applicationNamespace={ROOM},accountsNamespace={ROOM}", "--kube-version", version]
    command = [at_hand.tool("helm"), "template", "access", str(chart), "--namespace", ROOM, *values]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    try:
        apply(kubernetes, rendered)
        apply(kubernetes, json.dumps(application()))
        yield kubernetes
    finally:
        kubernetes.run("delete", "namespace", ROOM, OTHER, "--wait=false")
        for kind in ("clusterrole/platform-read", "clusterrolebinding/read-platform-read"):
            kubernetes.run("delete", kind, "--ignore-not-found")
        for kind in ("validatingadmissionpolicy", "validatingadmissionpolicybinding"):
            kubernetes.run("delete", kind, "deploy-changes-images", "--ignore-not-found")


def apply(kubernetes: Kubernetes, text: str, *more: str) -> None:
    command = [kubernetes.kubectl, "--kubeconfig", str(kubernetes.kubeconfig), "apply", "-f", "-", *more]
    answer = subprocess.run(command, input=text, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def application() -> dict[str, Any]:
    container = {"name": "web", "image": f"{IMAGE}:1", "env": [{"name": "A", "value": "1"}]}
    labels = {"app": "vet-app"}
    pod = {"containers": [container], "automountServiceAccountToken": False}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "vet-app", "namespace": ROOM},
        "spec": spec,
    }


def allowed(cluster: Kubernetes, who: str, questions: Iterable[Question]) -> set[Question]:
    """What the API's authorizer allows of verbs on kinds in namespaces (SubjectAccessReview), asked at once."""
    asked = list(questions)
    reviews = [_review(who, *question) for question in asked]
    command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), "create", "-f", "-", "-o", "json"]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    answer = subprocess.run(command, input=text, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    decoder, rest, answers = json.JSONDecoder(), answer.stdout.strip(), []
    while rest:
        found, end = decoder.raw_decode(rest)
        answers += found.get("items", [found])
        rest = rest[end:].strip()
    assert len(answers) == len(asked), "not every question was answered"
    return {question for question, each in zip(asked, answers, strict=True) if each["status"]["allowed"]}


def _review(who: str, verb: str, kind: str, namespace: str) -> dict[str, Any]:
    resource, _, group = kind.partition(".")
    resource, _, part = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": part, "namespace": namespace}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{ROOM}", "system:authenticated"]
    spec = {"resourceAttributes": asked, "user": f"system:serviceaccount:{ROOM}:{who}", "groups": groups}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": spec}


LOOKING = ("get", "list", "watch")
CHANGING = ("create", "update", "patch", "delete")


INTO = ("exec", "attach", "portforward", "ephemeralcontainers", "proxy")
"""What belongs to a pod and leads into it."""

SHOWN = ("", "apps", "autoscaling", "batch", "discovery.k8s.io", "networking.k8s.io", "policy")
"""Groups of the API whose namespaced kinds `read` sees."""


def kinds(cluster: Kubernetes) -> list[str]:
    """Every kind that the API has in namespaces, and what leads into a pod."""
    found = cluster.run("api-resources", "--namespaced", "-o", "name").split()
    return [*found, *(f"pods/{way}" for way in INTO)]


def test_read_looks_at_everything_but_secrets_and_the_platform_s_logs(cluster: Kubernetes) -> None:
    seen = [kind for kind in kinds(cluster) if "/" not in kind and kind.partition(".")[2] in SHOWN]
    seen.remove("bindings")  # they are made and never read
    hidden = {"podtemplates", "secrets"}
    questions = [(verb, kind, namespace) for verb in LOOKING for kind in seen for namespace in (ROOM, OTHER)]
    found = allowed(cluster, "read", questions)
    assert {kind for _, kind, _ in set(questions) - found} == hidden
    assert not {question for question in found if question[1] in hidden}
    logs = allowed(cluster, "read", [("get", "pods/log", ROOM), ("get", "pods/log", OTHER)])
    assert logs == {("get", "pods/log", ROOM)}, "Rancher's log has its first password"
    assert not allowed(cluster, "read", [("get", "nodes/proxy", "")]), "a kubelet's own API has every log and exec"


WRITTEN: dict[str, set[tuple[str, str]]] = {
    "read": set(),
    "deploy": {("update", "deployments.apps"), ("patch", "deployments.apps")},
}


@pytest.mark.parametrize("who", WRITTEN)
def test_nobody_changes_more_than_is_written(cluster: Kubernetes, who: str) -> None:
    """Everybody may ask what they may (`reviews`)."""
    changed = [kind for kind in kinds(cluster) if "accessreviews" not in kind]
    found = allowed(cluster, who, [(verb, kind, ROOM) for verb in CHANGING for kind in changed])
    assert {(verb, kind) for verb, kind, _ in found} == WRITTEN[who]
    elsewhere = allowed(cluster, who, [(verb, kind, OTHER) for verb in CHANGING for kind in changed])
    assert not elsewhere


@pytest.mark.parametrize("who", WRITTEN)
def test_nobody_reads_a_secret_or_gets_into_a_pod(cluster: Kubernetes, who: str) -> None:
    ways = [(verb, "secrets", room) for verb in LOOKING for room in (ROOM, OTHER)]
    ways += [(verb, f"pods/{way}", ROOM) for way in INTO for verb in ("get", "create", "update", "patch")]
    ways += [("create", "serviceaccounts/token", ROOM), ("impersonate", "serviceaccounts", ROOM)]
    assert not allowed(cluster, who, ways)


@pytest.fixture
def patch(cluster: Kubernetes) -> Callable[[dict[str, Any]], None]:
    """Change the application's Deployment as `deploy`."""

    def patched(change: dict[str, Any]) -> None:
        account = f"--as=system:serviceaccount:{ROOM}:deploy"
        cluster.run("-n", ROOM, "patch", "deployment", "vet-app", "--type=strategic", "-p", json.dumps(change), account)

    return patched


def pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def web(**container: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "web", **container}])


def test_deploy_changes_image_and_replicas(patch: Callable[[dict[str, Any]], None]) -> None:
    patch(web(image=f"{IMAGE}:2"))
    patch(web(image=f"{IMAGE}@sha256:{'0' * 64}"))
    patch({"spec": {"replicas": 2}})
    patch({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}})


SECRET = {"name": "stolen", "secret": {"secretName": "database-app"}}

REFUSED: dict[str, dict[str, Any]] = {
    "a mounted Secret": pod(volumes=[SECRET]),
    "a Secret as variables": web(envFrom=[{"secretRef": {"name": "database-app"}}]),
    "one variable": web(env=[{"name": "A", "value": "2"}]),
    "another account": pod(serviceAccountName="database"),
    "a token": pod(automountServiceAccountToken=True),
    "a command": web(command=["sh"]),
    "another repository": web(image="docker.io/somebody/else:1"),
    "a repository that begins alike": web(image=f"{IMAGE}-else:1"),
    "a second container": pod(containers=[{"name": "more", "image": f"{IMAGE}:1"}]),
    "a first container": pod(initContainers=[{"name": "more", "image": f"{IMAGE}:1"}]),
    "the node's network": pod(hostNetwork=True),
    "a label that opens a policy": {"spec": {"template": {"metadata": {"labels": {"database-client": "true"}}}}},
    "an annotation": {"spec": {"template": {"metadata": {"annotations": {"container.apparmor/web": "unconfined"}}}}},
    "more rights": web(securityContext={"privileged": True}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_deploy_changes_nothing_else(cluster: Kubernetes, patch: Callable[[dict[str, Any]], None], what: str) -> None:
    if "deploy-changes-images" not in cluster.names("validatingadmissionpolicies"):
        pytest.skip("needs a cluster of Kubernetes 1.30 or newer, where ValidatingAdmissionPolicy is stable")
    with pytest.raises(Failure, match=r"deploy changes (image and replicas alone|an image within its repository)"):
        patch(REFUSED[what])


def test_others_are_not_narrowed(cluster: Kubernetes) -> None:
    cluster.run(
        "-n", ROOM, "patch", "deployment", "vet-app", "--type=strategic", "-p", json.dumps(pod(volumes=[SECRET]))
    )
    cluster.run(
        "-n",
        ROOM,
        "patch",
        "deployment",
        "vet-app",
        "--type=json",
        "-p",
        '[{"op": "remove", "path": "/spec/template/spec/volumes"}]',
    )
