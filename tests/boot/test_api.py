"""What the sandbox plays of the Kubernetes API and of kubectl is compared once with real ones: the cluster that ``VET_TEST_KUBECONFIG`` names."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.devtools.emulator.kubernetes import Kubernetes
from tests.boot.machine import STOPPED, Machine
from tests.boot.sandbox import Sandbox

PREFIX = "vet-nodes-"
"""Nodes that the tests make."""


@pytest.fixture
def server(sandbox: Sandbox, kubernetes: Kubernetes) -> Iterator[Machine]:
    """The first server of a cluster that stands, whose kubectl and kubeconfig are those of the available cluster."""
    (machine,) = sandbox.running_cluster()
    kubectl = machine.root / "usr/local/bin/kubectl"
    kubectl.unlink(missing_ok=True)
    kubectl.symlink_to(Path(kubernetes.kubectl).resolve())
    (machine.root / "etc/rancher/rke2/rke2.yaml").write_text(kubernetes.kubeconfig.read_text())
    yield machine
    kubernetes.run("delete", "nodes", "--selector=vet-test=nodes", "--wait=false")


def identify(machine: Machine, node: str) -> None:
    """Let the machine be a Node of the available cluster."""
    identity = f"INSTANCE_ID='{machine.instance}'\nNODE_NAME='{node}'\nNODE_ADDRESS='{machine.address}'\n"
    (machine.root / "run/vet/identity").write_text(identity)


def some_agent(kubernetes: Kubernetes) -> str:
    """A Node that is no server's."""
    select = ("--selector", "!node-role.kubernetes.io/control-plane", "-o", "jsonpath={.items[0].metadata.name}")
    return kubernetes.run("get", "nodes", *select)


def make_node(kubernetes: Kubernetes, name: str, *, provider: str = "", ready: str = "", server: bool = False) -> None:
    """A Node without a machine, which has said of itself what is given."""
    labels = {"vet-test": "nodes", **({"node-role.kubernetes.io/etcd": "true"} if server else {})}
    # Nothing is to run there, nor is a simulated kubelet to take it for its own.
    spec = {"taints": [{"key": "vet-test", "effect": "NoSchedule"}], **({"providerID": provider} if provider else {})}
    node: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"{PREFIX}{name}", "labels": labels},
    }
    manifest = json.dumps(node | {"spec": spec})
    command = [kubernetes.kubectl, "--kubeconfig", str(kubernetes.kubeconfig), "create", "-f", "-"]
    subprocess.run(command, input=manifest, text=True, check=True, capture_output=True)
    if ready:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"type": "Ready", "status": ready, "lastHeartbeatTime": now, "lastTransitionTime": now}
        patch = json.dumps({"status": {"conditions": [condition]}})
        kubernetes.run("patch", "node", f"{PREFIX}{name}", "--subresource=status", "--type=merge", "-p", patch)


def test_a_server_s_node_is_closed_emptied_and_opened(server: Machine, kubernetes: Kubernetes) -> None:
    node = some_agent(kubernetes)
    identify(server, node)
    closed = ("get", "node", node, "-o", "jsonpath={.spec.unschedulable}")
    try:
        result = server.run("drain")
        assert result.code == 0, result.log
        assert kubernetes.run(*closed) == "true"
    finally:
        result = server.run("drain", "undo")
    assert result.code == 0, result.log
    assert kubernetes.run(*closed) == ""


def test_only_nodes_of_terminated_agents_are_deleted(server: Machine, kubernetes: Kubernetes) -> None:
    ec2 = server.sandbox.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    launched = ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, InstanceType="t3.medium")["Instances"]
    gone, alive = (each["InstanceId"] for each in launched)
    ec2.terminate_instances(InstanceIds=[gone])
    provider = "aws:///us-east-1a/{}".format
    make_node(kubernetes, "terminated", provider=provider(gone), ready="Unknown")
    make_node(kubernetes, "forgotten", provider=provider("i-0123456789abcdef0"))
    make_node(kubernetes, "rebooting", provider=provider(alive), ready="Unknown")
    make_node(kubernetes, "alive-whatever-aws-says", provider=provider("i-0123456789abcdef1"), ready="True")
    make_node(kubernetes, "not-yet-known", ready="Unknown")
    make_node(kubernetes, "lost-server", provider=provider("i-0123456789abcdef2"), ready="Unknown", server=True)
    result = server.run("remove-terminated-agents")
    assert result.code == 0, result.log
    left = {name.removeprefix(PREFIX) for name in kubernetes.names("nodes") if name.startswith(PREFIX)}
    assert left == {"rebooting", "alive-whatever-aws-says", "not-yet-known", "lost-server"}, result.log


def test_credentials_open_the_api_and_end_by_themselves(server: Machine, kubernetes: Kubernetes) -> None:
    server.sandbox.change(tokens=[])  # this API takes nothing of what is stored
    result = server.run("refresh-credentials")
    assert result.code == 0, result.log
    document = json.loads(server.sandbox.secret("credentials/admin") or "")
    left = datetime.fromisoformat(document["status"]["expirationTimestamp"]) - datetime.now(UTC)
    assert timedelta(hours=11) < left <= timedelta(hours=12), left
    who = subprocess.run(
        [kubernetes.kubectl, "--kubeconfig=/dev/null", "--server", kubernetes.address, "--insecure-skip-tls-verify",
         "--token", document["status"]["token"], "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert who.stdout == "system:serviceaccount:kube-system:admin", who.stderr


def test_the_issuer_s_documents_are_published_as_the_api_gives_them(server: Machine, kubernetes: Kubernetes) -> None:
    strange = server.run("publish-ca-and-oidc")
    assert strange.code == STOPPED, strange.log
    assert "does not issue as" in strange.log
    discovery = json.loads(kubernetes.run("get", "--raw", "/.well-known/openid-configuration"))
    environment = server.root / "etc/vet/node.env"
    ours, theirs = server.sandbox.inputs.issuer_url, discovery["issuer"]
    environment.write_text(environment.read_text().replace(ours, theirs))
    result = server.run("publish-ca-and-oidc")
    assert result.code == 0, result.log
    store = server.sandbox.client("s3")
    response = store.get_object(Bucket=server.sandbox.inputs.issuer_bucket, Key="openid/v1/jwks")
    keys = json.loads(response["Body"].read())["keys"]
    assert keys, "no key is published"
    assert not {"d", "p", "q"} & set(keys[0]), "a private key is published"


def test_the_gate_opens_for_a_node_that_is_ready(server: Machine, kubernetes: Kubernetes) -> None:
    identify(server, some_agent(kubernetes))
    result = server.run("wait-ready")
    assert result.code == 0, result.log
    identify(server, f"{PREFIX}nobody")
    assert server.run("wait-ready", VET_MAX_ATTEMPTS="2").code == 1
