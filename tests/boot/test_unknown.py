"""What could not be had is no "no": slow servers, ill kubelets, secrets that cannot be read, another cluster's server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.boot.machine import Machine
from tests.boot.sandbox import STOPPED, SUBNETS, Sandbox

MakeSandbox = Callable[..., Sandbox]

SNAPSHOT = "on-demand-1"
DENIED = "An error occurred (AccessDenied) when calling the operation: Access Denied"


def with_snapshot(sandbox: Sandbox) -> Sandbox:
    """The bucket holds a snapshot that could be restored."""
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-dev/{SNAPSHOT}", Body=b"snapshot")
    return sandbox


def fact(machine: Machine, name: str) -> str:
    """What health says of one thing."""
    lines = dict(line.split("=", 1) for line in machine.run("health").log.splitlines() if "=" in line)
    return lines[name]


# etcd's majority


def test_a_cluster_that_works_without_one_member_is_not_restored(make_sandbox: MakeSandbox) -> None:
    sandbox = with_snapshot(make_sandbox(servers=3))
    first, _, gone = sandbox.running_cluster()
    gone.power_off()
    assert (fact(first, "etcd"), fact(first, "quorum")) == ("unhealthy", "yes")
    refused = first.run("restore", SNAPSHOT)
    assert refused.code == STOPPED, refused.log
    assert "etcd has a majority" in refused.log
    assert not first.calls("cluster-reset"), refused.log


def test_an_ill_kubelet_hides_no_majority(make_sandbox: MakeSandbox) -> None:
    sandbox = with_snapshot(make_sandbox(servers=3))
    first = sandbox.running_cluster()[0]
    sandbox.change(kubectl_failures=[["exec", 999, "error dialing backend: dial tcp :10250"]])
    assert (fact(first, "etcd"), fact(first, "quorum"), fact(first, "leader")) == ("unknown", "yes", "unknown")
    refused = first.run("restore", SNAPSHOT)
    assert refused.code == STOPPED, refused.log
    assert "etcd has a majority" in refused.log


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ('{"health":"false","reason":"RAFT NO LEADER"}', "no"),
        ('{"health":"false","reason":"QGET ERROR:etcdserver: request timed out"}', "unknown"),
        ('{"health":"false","reason":"ALARM NOSPACE"}', "unknown"),
        ("", "unknown"),
        ("<html>", "unknown"),
    ],
)
def test_only_etcds_own_word_says_that_no_majority_is_there(answer: str, known: str, make_sandbox: MakeSandbox) -> None:
    sandbox = with_snapshot(make_sandbox(servers=3))
    first = sandbox.running_cluster()[0]
    sandbox.change(etcd_says={SUBNETS[0]: answer})
    assert fact(first, "quorum") == known
    result = first.run("restore", SNAPSHOT)
    if known == "unknown":
        assert result.code == STOPPED, result.log
        assert "it cannot be told whether etcd has a majority" in result.log
    else:
        assert result.code == 0, result.log


def test_a_majority_that_cannot_be_told_at_first_is_asked_for_again(make_sandbox: MakeSandbox) -> None:
    sandbox = with_snapshot(make_sandbox(servers=3))
    first = sandbox.running_cluster()[0]
    sandbox.change(etcd_says={SUBNETS[0]: '{"health":"false","reason":"RAFT NO LEADER"}'})
    health = first.root / "opt/vet/bin/health"
    health.rename(health.with_name("health.real"))
    health.write_text(
        '#!/bin/bash\n[ -e "$0.asked" ] || { touch "$0.asked"; echo quorum=unknown; exit; }\nexec "$0.real"\n'
    )
    health.chmod(0o755)
    result = first.run("restore", SNAPSHOT)
    assert result.code == 0, result.log


def test_servers_that_the_api_does_not_count_are_not_none(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    first = sandbox.running_cluster()[0]
    assert fact(first, "servers_ready") == "3"
    sandbox.change(kubectl_failures=[["get nodes", 999, "the server is currently unable to handle the request"]])
    assert fact(first, "servers_ready") == "unknown"


# Peers


def test_servers_that_are_slow_are_there(make_sandbox: MakeSandbox) -> None:
    """They take the connection and say nothing for seconds: overloaded, not lost."""
    sandbox = make_sandbox(servers=3)
    first, *others = sandbox.running_cluster()
    first.power_off()
    first.on_volume("server/db").rename(first.on_volume("lost"))
    sandbox.change(slow=[other.address for other in others])
    replaced = sandbox.server(0)
    for program in ("install-rke2", "write-node-identity", "mount-data"):
        assert replaced.run(program).code == 0
    peers = replaced.run("peers").log
    assert peers.count("unproven it takes the connection and does not answer") == 2, peers
    assert "silent" not in peers, peers
    refused = replaced.run("start-over", "vet-dev")
    assert refused.code == STOPPED, refused.log
    assert "another server answers" in refused.log
    sandbox.change(slow=[])
    assert replaced.boot().code == 0
    assert sandbox.problems() == []


def test_the_journal_has_each_peer_and_has_it_again_when_it_changes(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    first, second, third = sandbox.running_cluster()
    log = first.run("gather-facts").log
    for other in (second, third):
        assert f"server {other.address} " in log, log
    assert "server 10." not in first.run("gather-facts").log, "nothing has changed"
    third.power_off()
    assert f"server {third.address} " in first.run("gather-facts").log


def test_the_server_of_another_cluster_leaves_and_not_the_one_beside_it(make_sandbox: MakeSandbox) -> None:
    """Both see another CA. The published one says which of them is in the wrong place."""
    sandbox = make_sandbox(servers=3)
    right, wrong, _ = sandbox.running_cluster()
    sandbox.change(cas={wrong.address: "CA of somebody"})
    refused = right.run("rejoin")
    assert refused.code == STOPPED, refused.log
    assert "it is another server that is not of this cluster" in refused.log
    assert right.on_volume("server/db/etcd/member/wal").exists()
    wrong.on_volume("server/tls/server-ca.crt").write_text("CA of somebody\n")
    for denied in (True, False):
        sandbox.change(aws_failures=[["get-parameter", 999, DENIED]] if denied else [])
        left = wrong.run("rejoin", VET_MAX_ATTEMPTS="2")
        assert (left.code == STOPPED) is denied, left.log
        assert wrong.on_volume("server/db/etcd/member/wal").exists() is denied or not denied, left.log
    assert list(wrong.on_volume("set-aside").iterdir()), left.log


def test_members_that_cannot_be_asked_are_not_a_lost_majority(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    first = sandbox.running_cluster()[0]
    sandbox.change(kubectl_failures=[["endpoint health --cluster", 999, "Error from server (Timeout)"]])
    refused = first.run("rejoin", VET_MAX_ATTEMPTS="2")
    assert refused.code == STOPPED, refused.log
    assert "etcd's members cannot be asked" in refused.log
    assert "would lose the majority" not in refused.log


def test_no_list_of_members_is_not_one_without_voters(make_sandbox: MakeSandbox) -> None:
    """Of none, any other server would be the majority. It was had a moment ago, and cannot be had now."""
    sandbox = make_sandbox(servers=3)
    first = sandbox.running_cluster()[0]
    assert "membership=member" in first.run("gather-facts").log
    asked = len(first.calls("member list"))
    counting = 'if [[ $* = *"member list"* ]]; then echo >>"$0.asked"; [ "$(wc -l <"$0.asked")" -le {} ] || exit 1; fi'
    first.before("kubectl", counting.format(asked))
    refused = first.run("rejoin", VET_MAX_ATTEMPTS="1")
    assert refused.code == STOPPED, refused.log
    assert "etcd's members cannot be asked" in refused.log


# Tokens


@pytest.mark.parametrize("failing", ["describe-secret", "--version-id"])
@pytest.mark.parametrize("times", [1, 999])
def test_a_former_token_that_cannot_be_looked_up_was_not_never_its_value(
    failing: str, times: int, sandbox: Sandbox
) -> None:
    server = sandbox.running_cluster()[0]
    secrets, name = sandbox.client("secretsmanager"), sandbox.inputs.server_token_secret
    token = server.root / "etc/rancher/rke2/token"
    former = token.read_text()
    secrets.put_secret_value(SecretId=name, SecretString="the-new-one")
    sandbox.change(aws_failures=[[failing, times, DENIED]])
    result = server.run("tokens", "confirm")
    assert result.code == 0, result.log
    assert "never its value" not in result.log, result.log
    assert token.read_text() == ("the-new-one\n" if times == 1 else former), result.log
    assert ("starting with the token on disk" in result.log) is (times > 1), result.log


def test_an_agent_takes_no_token_with_blanks(sandbox: Sandbox) -> None:
    sandbox.running_cluster()
    sandbox.client("secretsmanager").put_secret_value(
        SecretId=sandbox.inputs.agent_token_secret, SecretString="two words"
    )
    result = sandbox.agent().run("join-as-agent", VET_MAX_ATTEMPTS="2")
    assert result.code == 1, result.log
    assert "is no token" in result.log


# Records


def test_a_servers_token_that_cannot_be_read_is_neither_empty_nor_written(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    sandbox.change(aws_failures=[["get-secret-value", 999, DENIED]])
    result = server.run("tokens", "load", VET_MAX_ATTEMPTS="2")
    assert result.code == 1, result.log
    assert "still empty" not in result.log, result.log
    assert not (server.root / "etc/rancher/rke2/token").exists()


def test_a_record_of_servers_is_asked_for_again_in_the_same_boot(sandbox: Sandbox) -> None:
    """Else a server would wait for the next boot, an hour later, though S3 answers again after a minute."""
    sandbox.change(aws_failures=[["--key nodes/servers", 4, "An error occurred (SlowDown)"]])
    result = sandbox.server(0).boot()
    assert result.code == 0, result.log
    assert "could not be read" in result.log
    assert list(sandbox.state["clusters"]) == ["cluster-0"]


def test_fstab_that_cannot_be_read_loses_no_line(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    fstab = server.root / "etc/fstab"
    fstab.unlink(missing_ok=True)
    fstab.mkdir()
    result = server.run("mount-data")
    assert result.code == STOPPED, result.log
    assert "cannot be read" in result.log


def test_who_waits_names_the_next_step_once_for_each_answer(sandbox: Sandbox) -> None:
    sandbox.running_cluster()[0].power_off()
    sandbox.change(aws_failures=[["--key marker", 999, DENIED]])
    result = sandbox.server(0).boot(VET_CONFIRMATIONS="2", VET_MAX_ATTEMPTS="5")
    assert result.code == 1, result.log
    assert result.log.count("still waiting") == 1, result.log


def test_a_stop_is_said_only_after_the_same_answer_for_several_rounds(sandbox: Sandbox) -> None:
    """What is wrong for a moment ends no boot."""
    sandbox.running_cluster()[0].power_off()
    with_snapshot(sandbox)
    looks = {}
    for rounds in (1, 4):
        server = sandbox.server(0)
        result = server.boot(VET_CONFIRMATIONS=str(rounds))
        assert result.code == STOPPED, result.log
        looks[rounds] = len(server.calls("--key marker"))
    assert looks[4] == looks[1] + 3, looks


# What passes is waited out in the same run


def test_the_marker_is_written_again_in_the_same_run(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    bucket, key = sandbox.inputs.nodes_bucket, f"marker/{sandbox.inputs.vpc_id}"
    sandbox.client("s3").delete_object(Bucket=bucket, Key=key)
    sandbox.change(aws_failures=[[f"put-object --bucket {bucket} --key marker", 2, DENIED]])
    result = server.run("marker", "ready")
    assert result.code == 0, result.log
    assert result.log.count("the marker cannot be written") == 2, result.log
    assert "state=ready" in str(sandbox.marker())


@pytest.mark.parametrize("word", ["load", "make", "confirm"])
def test_a_token_is_asked_for_again_in_the_same_run(word: str, sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    for file in ("token", "agent-token"):
        (server.root / "etc/rancher/rke2" / file).unlink(missing_ok=True)
    for secret in (sandbox.inputs.server_token_secret, sandbox.inputs.agent_token_secret):
        sandbox.change(aws_failures=[[f"get-secret-value --secret-id {secret}", 1, DENIED]])
        result = server.run("tokens", word)
        assert result.code == 0, result.log
        assert (server.root / "etc/rancher/rke2/agent-token").exists(), result.log
        (server.root / "etc/rancher/rke2/agent-token").unlink()


def test_a_token_that_cannot_be_read_at_first_is_not_made_a_second_time(sandbox: Sandbox) -> None:
    """It encrypts the keys inside snapshots: another one in its place is the loss of them."""
    name, secrets = sandbox.inputs.server_token_secret, sandbox.client("secretsmanager")
    secrets.put_secret_value(SecretId=name, SecretString="kept-token")
    sandbox.change(aws_failures=[[f"get-secret-value --secret-id {name}", 1, DENIED]])
    server = sandbox.server(0)
    result = server.run("tokens", "make")
    assert result.code == 0, result.log
    assert "AccessDenied" in result.log, "the first look has not failed"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "kept-token", result.log


@pytest.mark.parametrize(
    "failures",
    [
        {"kubectl_failures": [["create token admin", 1, "Error from server (Timeout)"]]},
        {"aws_failures": [["put-secret-value", 1, DENIED]]},
    ],
    ids=["no token", "not stored"],
)
def test_credentials_are_stored_again_in_the_same_run(failures: dict[str, Any], sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    sandbox.change(**failures)
    for role in ("admin", "deploy", "read"):
        sandbox.client("secretsmanager").put_secret_value(
            SecretId=f"{sandbox.inputs.credentials_secret_prefix}/{role}", SecretString="stale"
        )
    result = server.run("refresh-credentials")
    assert result.code == 0, result.log
    assert "stored new credentials for admin" in result.log
    stored = sandbox.client("secretsmanager").get_secret_value(
        SecretId=f"{sandbox.inputs.credentials_secret_prefix}/admin"
    )
    assert stored["SecretString"] != "stale", f"said to be stored, and is not:\n{result.log}"


@pytest.mark.parametrize("call", ["get lease", "delete lease", "get node", "member list"])
def test_the_end_of_joining_is_reached_although_a_call_fails_once(call: str, sandbox: Sandbox) -> None:
    """The Node is Ready, the member votes, and the turn is given back: each is asked for again."""
    server = sandbox.running_cluster()[0]
    state = sandbox.state
    lease = {"holder": server.name, "renewed": "2026-01-01T00:00:00.000000Z", "version": 1}
    clusters = state["clusters"]
    clusters["cluster-0"]["leases"] = {"vet-server-join": lease}
    sandbox.change(clusters=clusters, kubectl_failures=[[call, 1, "Error from server (Timeout)"]])
    result = server.run("wait-until-joined")
    assert result.code == 0, result.log
    assert sandbox.state["clusters"]["cluster-0"]["leases"] == {}
