"""What a kubelet's own credentials allow, as the page on access says, by requests as one: anybody who is root on an agent holds them."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from operations.devtools.emulator.kubernetes import Kubernetes
from operations.shared.console import wait_until
from tests.platform.rights import (
    IMAGE,
    KUBELET,
    OTHER,
    ROOM,
    account,
    allowed,
    apply,
    prepared,
    refused,
    tried,
    victims,
)

DRY = "--dry-run=server"
IN_ROOM = f"--namespace={ROOM}"


@dataclass(frozen=True)
class Agent:
    """A Node whose kubelet somebody holds, another one, and a pod on each: ``own`` and ``others``."""

    cluster: Kubernetes
    own: str
    other: str

    def tried(self, arguments: Sequence[str], text: str = "") -> "subprocess.CompletedProcess[str]":
        """A call of kubectl as the kubelet."""
        user, groups = account(KUBELET + self.own)
        as_it = [f"--as={user}", *(f"--as-group={group}" for group in groups)]
        return tried(self.cluster, [*arguments, *as_it], text)


@pytest.fixture(scope="module")
def agent(kubernetes: Kubernetes) -> Iterator[Agent]:
    """Two Nodes of the available cluster, a pod on each, and what the pod on the first mounts."""
    own, other = kubernetes.run("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()[-2:]
    if not allowed(kubernetes, KUBELET + own, [("list", "pods", "")]):
        pytest.skip(
            "start the API server as RKE2 does, with --authorization-mode=Node,RBAC and --enable-admission-plugins=NodeRestriction"
        )
    with prepared(kubernetes) as cluster:
        victims(cluster)
        for kind, name in (("Secret", "mounted"), ("ConfigMap", "mounted"), ("ConfigMap", "others")):
            apply(cluster, _object("v1", kind, name))
        mounted = [
            {"name": kind.lower(), kind: {key: "mounted"}}
            for kind, key in (("secret", "secretName"), ("configMap", "name"))
        ]
        apply(cluster, _pod("own", own, volumes=mounted))
        apply(cluster, _pod("others", other))
        agent = Agent(cluster, own, other)
        # The authorizer learns of a pod by watching.
        seen = ["get", "secret", "mounted", IN_ROOM]
        assert wait_until(lambda: agent.tried(seen).returncode == 0, seconds=30, poll=(0.5,)), "its own pod's Secret"
        yield agent
        # Where no kubelet runs nobody says that they have ended.
        cluster.run("delete", "pod", "own", "others", IN_ROOM, "--force", "--grace-period=0")


def _object(version: str, kind: str, name: str, **more: Any) -> str:
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": ROOM}, **more})


def _pod(name: str, node: str, **spec: Any) -> str:
    containers = [{"name": "it", "image": f"{IMAGE}:1"}]
    return _object(
        "v1", "Pod", name, spec={"nodeName": node, "containers": containers, "serviceAccountName": "default", **spec}
    )


def _mirror(agent: Agent, node: str) -> str:
    """A static pod of a node, as its kubelet shows it to the API."""
    uid = agent.cluster.run("get", "node", node, "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid, "controller": True}
    marks = {"annotations": {"kubernetes.io/config.mirror": "1"}, "ownerReferences": [owner]}
    spec = {"nodeName": node, "containers": [{"name": "it", "image": f"{IMAGE}:1"}]}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mirror", "namespace": ROOM, **marks}, "spec": spec}
    )


def _bound(agent: Agent, pod: str) -> list[str]:
    uid = agent.cluster.run("get", "pod", pod, IN_ROOM, "-o", "jsonpath={.metadata.uid}")
    return ["--bound-object-kind=Pod", f"--bound-object-name={pod}", f"--bound-object-uid={uid}"]


def _evict(pod: str) -> tuple[list[str], str]:
    where = f"/api/v1/namespaces/{ROOM}/pods/{pod}/eviction?dryRun=All"
    return ["create", "--raw", where, "-f", "-"], _object("policy/v1", "Eviction", pod)


def _change(node: str, **parts: Any) -> list[str]:
    return ["patch", "node", node, "--type=merge", DRY, "-p", json.dumps(parts)]


def _label(node: str, key: str) -> list[str]:
    return _change(node, metadata={"labels": {key: "true"}})


def _status(agent: Agent, node: str) -> tuple[list[str], str]:
    """As it is now; kubectl's own way would read it first, which a kubelet may not."""
    where = f"/api/v1/nodes/{node}/status?dryRun=All"
    return ["replace", "--raw", where, "-f", "-"], agent.cluster.run("get", "node", node, "-o", "json")


Attempt = Callable[[Agent], tuple[Sequence[str], str]]

ALLOWED: Mapping[str, Attempt] = {
    "a Secret that its pod mounts": lambda _: (["get", "secret", "mounted", IN_ROOM], ""),
    "a ConfigMap that its pod mounts": lambda _: (["get", "configmap", "mounted", IN_ROOM], ""),
    "all pods": lambda _: (["get", "pods", "--all-namespaces"], ""),
    "all Services": lambda _: (["get", "services", "--all-namespaces"], ""),
    "all Nodes": lambda _: (["get", "nodes"], ""),
    "a token of its pod's account, bound to the pod": lambda agent: (["create", "token", "default", IN_ROOM, *_bound(agent, "own")], ""),
    "make a mirror pod": lambda agent: (["create", DRY, "-f", "-"], _mirror(agent, agent.own)),
    "evict its own pod": lambda _: _evict("own"),
    "delete its own pod": lambda _: (["delete", "pod", "own", IN_ROOM, DRY], ""),
    "a label of its own Node": lambda agent: (_label(agent.own, "example.com/proof"), ""),
    "its own Node's status": lambda agent: _status(agent, agent.own),
}  # fmt: skip
"""What the page lists; none of it changes anything, but for a token that nobody keeps."""

REFUSED: Mapping[str, Attempt] = {
    "another Secret": lambda _: (["get", "secret", "database-app", IN_ROOM], ""),
    "another ConfigMap": lambda _: (["get", "configmap", "others", IN_ROOM], ""),
    "list Secrets": lambda _: (["get", "secrets", IN_ROOM], ""),
    "list ConfigMaps": lambda _: (["get", "configmaps", IN_ROOM], ""),
    "a token of its pod's account, bound to none": lambda _: (["create", "token", "default", IN_ROOM], ""),
    "a token of an account, bound to another's pod": lambda agent: (["create", "token", "default", IN_ROOM, *_bound(agent, "others")], ""),
    "a token of the administrator's account": lambda agent: (["create", "token", "admin", IN_ROOM, *_bound(agent, "own")], ""),
    "make a pod": lambda agent: (["create", DRY, "-f", "-"], _pod("new", agent.own)),
    "make a mirror pod on another Node": lambda agent: (["create", DRY, "-f", "-"], _mirror(agent, agent.other)),
    "evict another's pod": lambda _: _evict("others"),
    "delete another's pod": lambda _: (["delete", "pod", "others", IN_ROOM, DRY], ""),
    "call itself a server": lambda agent: (_label(agent.own, "node-role.kubernetes.io/control-plane"), ""),
    "a taint of its own Node": lambda agent: (_change(agent.own, spec={"taints": [{"key": "a", "effect": "NoSchedule"}]}), ""),
    "a label of another Node": lambda agent: (_label(agent.other, "example.com/proof"), ""),
    "another Node's status": lambda agent: _status(agent, agent.other),
    "delete its own Node": lambda agent: (["delete", "node", agent.own, DRY], ""),
    "delete another Node": lambda agent: (["delete", "node", agent.other, DRY], ""),
    "logs of its own pod": lambda _: (["get", "--raw", f"/api/v1/namespaces/{ROOM}/pods/own/log"], ""),
    "logs of the platform": lambda _: (["get", "--raw", f"/api/v1/namespaces/{OTHER}/pods/victim/log"], ""),
    "a shell in its own pod": lambda _: (["create", "--raw", f"/api/v1/namespaces/{ROOM}/pods/own/exec?command=id&stdout=1", "-f", "/dev/null"], ""),
    "a port of its own pod": lambda _: (["create", "--raw", f"/api/v1/namespaces/{ROOM}/pods/own/portforward", "-f", "/dev/null"], ""),
    "another kubelet's API": lambda agent: (["get", "--raw", f"/api/v1/nodes/{agent.other}/proxy/pods"], ""),
    "Ingresses": lambda _: (["get", "ingresses", IN_ROOM], ""),
    "Deployments": lambda _: (["get", "deployments", IN_ROOM], ""),
    "list volumes": lambda _: (["get", "persistentvolumes"], ""),
}  # fmt: skip


@pytest.mark.parametrize("what", ALLOWED)
def test_a_kubelet_does_what_its_pods_take(agent: Agent, what: str) -> None:
    answer = agent.tried(*ALLOWED[what](agent))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("what", REFUSED)
def test_a_kubelet_reaches_nothing_of_others(agent: Agent, what: str) -> None:
    answer = agent.tried(*REFUSED[what](agent))
    assert refused(answer), answer.stderr + answer.stdout
