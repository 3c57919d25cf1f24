"""What `read` and `deploy` may do, by real requests as them: questions for every kind, and attempts where a right alone does not decide."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from operations.emulator.kubernetes import Kubernetes
from operations.failure import Failure
from tests.platform.rights import IMAGE, OTHER, ROOM, allowed, asked, kept, kinds, prepared


@pytest.fixture(scope="module")
def cluster(kubernetes: Kubernetes) -> Iterator[Kubernetes]:
    """The cluster at hand with the chart and an application."""
    with prepared(kubernetes) as found:
        yield found


LOOKING = ("get", "list", "watch")
CHANGING = ("create", "update", "patch", "delete")


INTO = ("exec", "attach", "portforward", "ephemeralcontainers", "proxy")
"""What belongs to a pod and leads into it."""

SHOWN = ("", "apps", "autoscaling", "batch", "discovery.k8s.io", "networking.k8s.io", "policy")
"""Groups of the API whose namespaced kinds `read` sees."""


def test_read_looks_at_everything_but_secrets_and_the_platform_s_logs(cluster: Kubernetes) -> None:
    seen = [kind for kind in kinds(cluster) if kind.partition(".")[2] in SHOWN]
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
    changed = [*kinds(cluster), *(f"pods/{way}" for way in INTO)]
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


def test_the_matrix_is_what_the_api_answers(cluster: Kubernetes) -> None:
    """Kinds that one of two versions does not have are left out. Where the API has no policies, `deploy` mounts a Secret (decision 0091)."""
    policies = "validatingadmissionpolicies" in cluster.run("api-resources", "-o", "name")
    found, known = asked(cluster), kept()
    assert list(found["attempts"]) == list(known["attempts"])
    for who, tried in found["attempts"].items():
        differing = {what: now for what, now in tried.items() if now != known["attempts"][who][what]}
        if not policies:
            differing.pop("mount a Secret in the application's Deployment", None)
        assert not differing, f"{who}: otherwise than in rights.yaml: {differing}"
    everything = {kind for who in known["rights"].values() for place in who.values() for kind in place}
    for who, places in found["rights"].items():
        for place, verbs in places.items():
            now = {kind: each for kind, each in verbs.items() if kind in everything}
            before = {kind: each for kind, each in known["rights"][who][place].items() if kind in {*now, *BASE}}
            assert now == before, f"{who} in {place}"


BASE = ("pods", "secrets", "pods/exec", "deployments.apps")
"""Kinds that every version has."""
