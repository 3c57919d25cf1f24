"""What `read` and `deploy` may do, by real requests as them: questions for every kind, and attempts where a right alone does not decide."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from operations.devtools.emulator import local_cluster
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.shared.errors import Failure
from operations.supply_chain.charts import fetched
from settings.release_sets import SETS
from tests.platform import controllers
from tests.platform.rights import (
    IMAGE,
    OTHER,
    ROOM,
    THEMSELVES,
    account,
    allowed,
    asked,
    has_policies,
    kept,
    kinds,
    prepared,
    questions,
)


@pytest.fixture(scope="module")
def cluster(kubernetes: Kubernetes) -> Iterator[Kubernetes]:
    """The available cluster with the chart and an application."""
    with prepared(kubernetes) as cluster:
        yield cluster


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
    permissions = allowed(cluster, "read", questions)
    assert {kind for _, kind, _ in set(questions) - permissions} == hidden
    assert not {question for question in permissions if question[1] in hidden}
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
    permissions = allowed(cluster, who, [(verb, kind, ROOM) for verb in CHANGING for kind in changed])
    assert {(verb, kind) for verb, kind, _ in permissions} == WRITTEN[who]
    elsewhere = allowed(cluster, who, [(verb, kind, OTHER) for verb in CHANGING for kind in changed])
    assert not elsewhere


@pytest.mark.parametrize("who", WRITTEN)
def test_nobody_reads_a_secret_or_gets_into_a_pod(cluster: Kubernetes, who: str) -> None:
    ways = [(verb, "secrets", room) for verb in LOOKING for room in (ROOM, OTHER)]
    ways += [(verb, f"pods/{way}", ROOM) for way in INTO for verb in ("get", "create", "update", "patch")]
    ways += [("create", "serviceaccounts/token", ROOM), ("impersonate", "serviceaccounts", ROOM)]
    assert not allowed(cluster, who, ways)


@pytest.mark.parametrize("role", THEMSELVES)
def test_whoever_is_who_they_are_in_aws_may_what_the_role_s_account_may(cluster: Kubernetes, role: str) -> None:
    every = questions(cluster)
    assert allowed(cluster, THEMSELVES[role], every) == allowed(cluster, role, every)


@pytest.fixture(params=["deploy", THEMSELVES["deploy"]])
def patch(request: pytest.FixtureRequest, cluster: Kubernetes) -> Callable[[dict[str, Any]], None]:
    """Change the application's Deployment as `deploy`, the account and somebody who is who they are in AWS."""
    user, groups = account(request.param)
    whom = [f"--as={user}", *(f"--as-group={group}" for group in groups)]

    def patched(change: dict[str, Any]) -> None:
        cluster.run("-n", ROOM, "patch", "deployment", "vet-app", "--type=strategic", "-p", json.dumps(change), *whom)

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
    if not has_policies(cluster):
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
    policies = has_policies(cluster)
    answers, known = asked(cluster), kept()
    assert list(answers["attempts"]) == list(known["attempts"])
    for who, tried in answers["attempts"].items():
        differing = {what: now for what, now in tried.items() if now != known["attempts"][who][what]}
        if not policies:
            assert differing.pop(WITHOUT_POLICIES, "refused") == ("allowed" if who == "deploy" else "refused"), who
        assert not differing, f"{who}: otherwise than in rights.yaml: {differing}"
    everything = {kind for who in known["rights"].values() for place in who.values() for kind in place}
    for who, places in answers["rights"].items():
        for place, verbs in places.items():
            now = {kind: each for kind, each in verbs.items() if kind in everything}
            before = {kind: each for kind, each in known["rights"][who][place].items() if kind in {*now, *BASE}}
            assert now == before, f"{who} in {place}"


WITHOUT_POLICIES = "mount a Secret in the application's Deployment"
"""What ``deploy`` may where the API has no ValidatingAdmissionPolicy (decision 0091): the page says so of the set ``documented``."""

BASE = ("pods", "secrets", "pods/exec", "deployments.apps")
"""Kinds that every version has."""


@pytest.mark.parametrize("set_name", SETS)
def test_the_controllers_accounts_may_what_is_written(cluster: Kubernetes, set_name: str) -> None:
    charts = fetched()
    if charts is None:
        pytest.skip("needs the charts whose rights are asked about: make charts")
    answers = controllers.asked(cluster, set_name, local_cluster.tool("helm"), charts)
    assert answers == kept()["controllers"][set_name]["accounts"]


NODE_ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/etcd")


@pytest.fixture
def driver(cluster: Kubernetes) -> Iterator[list[str]]:
    """An account that changes Nodes, as those of the disks' driver and of the pod network do on every agent."""
    cluster.run("create", "clusterrole", "access-proof-driver", "--verb=get,patch", "--resource=nodes,nodes/status")
    who = f"--serviceaccount={OTHER}:driver"
    cluster.run("create", "clusterrolebinding", "access-proof-driver", "--clusterrole=access-proof-driver", who)
    user, groups = account(f"{OTHER}/driver")
    yield [f"--as={user}", *(f"--as-group={group}" for group in groups)]
    cluster.run("delete", "clusterrolebinding/access-proof-driver", "clusterrole/access-proof-driver")


@pytest.mark.parametrize("through", [(), ("--subresource=status",)])
@pytest.mark.parametrize("role", NODE_ROLES)
def test_no_account_of_a_pod_makes_a_server_of_an_agent(
    cluster: Kubernetes, driver: list[str], role: str, through: tuple[str, ...]
) -> None:
    """Where a Node's role says that it is a server, what reaches all Secrets is put there (decision 0092)."""
    if not has_policies(cluster):
        pytest.skip("needs a cluster of Kubernetes 1.30 or newer, where ValidatingAdmissionPolicy is stable")
    node = cluster.run("get", "nodes", "-o", "jsonpath={.items[-1:].metadata.name}")
    label = json.dumps({"metadata": {"labels": {role: "true"}}})
    with pytest.raises(Failure, match="no account of a pod makes a server"):
        cluster.run("patch", "node", node, "--type=merge", "-p", label, *through, *driver)
    other = json.dumps({"metadata": {"labels": {"access-proof": "yes"}}})
    cluster.run("patch", "node", node, "--type=merge", "-p", other, *through, *driver)
    cluster.run("label", "node", node, "access-proof-")
