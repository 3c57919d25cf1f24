"""Agents join when there is something to join, and their Nodes go when their instances are gone; a server's Node never
does."""

import hashlib
from typing import Any

from tests.boot.sandbox import Sandbox


def test_an_agent_waits_for_the_cluster(sandbox: Sandbox) -> None:
    agent = sandbox.agent()
    result = agent.boot()
    assert result.code == 1, "bounded: it gives up, and systemd starts it again"
    assert "CA is still pending" in result.log
    assert sandbox.state["agents"] == []


def test_an_agent_waits_for_an_api_that_answers(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    sandbox.change(load_balancer=[])
    result = sandbox.agent().boot()
    assert result.code == 1, result.log
    assert "the API at api.test does not answer" in result.log
    assert sandbox.state["agents"] == []


def test_an_agent_asks_again_in_the_same_boot(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    sandbox.change(aws_failures=[["get-parameter", 2, "An error occurred (ThrottlingException): Rate exceeded"]])
    agent = sandbox.agent()
    result = agent.run("join-as-agent")
    assert result.code == 0, result.log
    assert len(agent.calls("get-parameter")) == 3, agent.calls()


def test_a_token_that_cannot_be_read_is_not_called_empty(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    sandbox.change(
        aws_failures=[["get-secret-value", 999, "An error occurred (AccessDeniedException): not authorized"]]
    )
    result = sandbox.agent().run("join-as-agent")
    assert result.code == 1, result.log
    assert "AccessDenied" in result.log
    assert "is still empty" not in result.log, result.log


def test_a_network_manager_leaves_the_pod_network_alone(sandbox: Sandbox) -> None:
    agent = sandbox.agent()
    assert agent.run("prepare-host").code == 0
    assert "interface-name:cali*" in (agent.root / "etc/NetworkManager/conf.d/rke2-canal.conf").read_text()
    without = sandbox.agent()
    (without.root / "etc/NetworkManager").rmdir()
    result = without.run("prepare-host")
    assert result.code == 0, result.log
    assert not (without.root / "etc/NetworkManager").exists(), "an image without it gets no settings of it"


def test_an_agent_joins_through_the_load_balancer_with_the_ca_pinned_in_its_token(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    agent = sandbox.agent()
    result = agent.boot()
    assert result.code == 0, result.log
    (joined,) = sandbox.state["agents"]
    assert joined["server"] == "https://api.test:9345"
    digest = hashlib.sha256(b"CA of cluster-0\n").hexdigest()
    assert joined["token"] == f"K10{digest}::node:agent-token"
    assert "server-token" not in "".join(agent.calls()), "an agent asked for the servers' token"
    assert agent.config()["node-name"] == agent.name


def test_a_second_boot_of_an_agent_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    agent = sandbox.agent()
    agent.boot()
    config = agent.config()
    agent.power_off()
    assert agent.boot().code == 0
    assert agent.config() == config


def _instances(sandbox: Sandbox, count: int) -> list[str]:
    """Real instances of the emulator."""
    ec2 = sandbox.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    launched = ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, InstanceType="t3.medium")["Instances"]
    return [instance["InstanceId"] for instance in launched]


def _with_nodes(sandbox: Sandbox, **nodes: dict[str, Any]) -> None:
    state = sandbox.state
    for name, facts in nodes.items():
        state["clusters"]["cluster-0"]["nodes"][name] = {"server": False, "ready": "Unknown", "address": "", **facts}
    sandbox.write(state)


def test_only_nodes_of_terminated_agents_are_deleted(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    gone, stopped, alive = _instances(sandbox, 3)
    ec2 = sandbox.client("ec2")
    ec2.terminate_instances(InstanceIds=[gone])
    ec2.stop_instances(InstanceIds=[stopped])
    provider = "aws:///us-east-1a/{}".format
    _with_nodes(
        sandbox,
        terminated={"provider": provider(gone)},
        forgotten={"provider": provider("i-0123456789abcdef0")},
        stopped={"provider": provider(stopped)},
        rebooting={"provider": provider(alive)},
        ready_although_unknown={"provider": provider("i-0123456789abcdef1"), "ready": "True"},
        not_yet_known={"provider": ""},
    )
    result = server.run("remove-terminated-agents")
    assert result.code == 0, result.log
    left = set(sandbox.state["clusters"]["cluster-0"]["nodes"])
    assert left == {server.name, "stopped", "rebooting", "ready_although_unknown", "not_yet_known"}


def test_a_servers_node_is_never_deleted_by_the_timer(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    state = sandbox.state
    state["clusters"]["cluster-0"]["nodes"]["lost-server"] = {
        "server": True,
        "ready": "Unknown",
        "provider": "aws:///a/i-0",
        "address": "",
    }
    sandbox.write(state)
    result = server.run("remove-terminated-agents")
    assert result.code == 0, result.log
    assert "lost-server" in sandbox.state["clusters"]["cluster-0"]["nodes"]


def test_nothing_is_deleted_when_aws_does_not_answer(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    _with_nodes(sandbox, agent={"provider": "aws:///us-east-1a/i-0123456789abcdef0"})
    sandbox.change(aws_failures=[["describe-instances", 9, "An error occurred (RequestLimitExceeded)"]])
    assert server.run("remove-terminated-agents").code != 0
    assert "agent" in sandbox.state["clusters"]["cluster-0"]["nodes"]
