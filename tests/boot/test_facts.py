"""Facts with three values: what cannot be had is never taken for "no", and what is not proven is not believed."""

import shutil
from collections.abc import Callable

import pytest

from tests.boot.sandbox import STOPPED, SUBNETS, Machine, Sandbox

MakeSandbox = Callable[..., Sandbox]
DENIED = "An error occurred (AccessDenied) when calling the {} operation: Access Denied"


def _marker_key(sandbox: Sandbox) -> dict[str, str]:
    return {"Bucket": sandbox.inputs.nodes_bucket, "Key": f"marker/{sandbox.inputs.vpc_id}"}


def test_the_marker_tells_the_volume_that_began_the_cluster_from_another(make_sandbox: MakeSandbox) -> None:
    first, second = make_sandbox(servers=2).running_cluster()
    assert [each.run("marker", "read").log.strip() for each in (first, second)] == ["ready", "other"]


def test_a_marker_that_cannot_be_read_stops_saying_ready_and_publishes_nothing(sandbox: Sandbox) -> None:
    """Seen: it stayed "initialising" for ever, and the next loss was answered "no cluster ever existed"."""
    server = sandbox.server(0)
    assert server.boot().code == 0
    sandbox.client("s3").put_object(
        **_marker_key(sandbox), Body=f"state=initialising\nvolume={server.volume}\n".encode()
    )
    sandbox.client("ssm").put_parameter(Name=sandbox.inputs.ca_parameter, Value="pending", Overwrite=True)
    sandbox.change(aws_failures=[["get-object --bucket nodes", 99, DENIED.format("GetObject")]])
    assert server.run("marker", "ready").code == 1
    assert server.run("publish-ca-and-oidc").code != 0
    assert sandbox.ca() == "pending", "published although the marker says that no cluster is ready"
    sandbox.change(aws_failures=[])
    assert server.run("wait-until-joined").code == 0
    assert "state=ready" in (sandbox.marker() or "")


@pytest.mark.parametrize("text", ["", "state=\n", "<html>"])
def test_a_marker_without_a_state_is_not_an_absent_one(text: str, sandbox: Sandbox) -> None:
    sandbox.client("s3").put_object(**_marker_key(sandbox), Body=text.encode())
    result = sandbox.server(0).boot()
    assert result.code == 1, result.log
    assert sandbox.state["clusters"] == {}
    assert "start-over" in result.log, "no way out is named"


@pytest.mark.parametrize("sign", ["ca", "snapshots"])
@pytest.mark.parametrize("marker", ["absent", "forming"])
def test_signs_of_a_cluster_mean_restore_whatever_the_marker_says(sign: str, marker: str, sandbox: Sandbox) -> None:
    if marker == "forming":
        sandbox.client("s3").put_object(**_marker_key(sandbox), Body=b"state=initialising\nvolume=vol-0gone\n")
    if sign == "ca":
        sandbox.client("ssm").put_parameter(Name=sandbox.inputs.ca_parameter, Value="CA of before", Overwrite=True)
    else:
        sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key="vet-dev/etcd-1", Body=b"x")
    server = sandbox.server(0)
    result = server.boot()
    assert result.code == STOPPED, result.log
    assert "make restore ENV=" in result.log
    assert "start-over" not in result.log, "told to give up what a restore brings back"
    assert sandbox.state["clusters"] == {}
    assert server.run("marker", "claim").code != 0, "the marker was claimed although a cluster existed"


@pytest.mark.parametrize("call", ["get-parameter", "list-objects-v2"])
def test_signs_that_cannot_be_read_initialise_nothing(call: str, sandbox: Sandbox) -> None:
    sandbox.change(aws_failures=[[call, 999, DENIED.format(call)]])
    result = sandbox.server(0).boot()
    assert result.code == 1, f"78 would end it permanently:\n{result.log}"
    assert sandbox.state["clusters"] == {}
    assert sandbox.marker() is None


def test_a_deleted_marker_is_written_again_by_a_server_of_the_cluster(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    sandbox.client("s3").delete_object(**_marker_key(sandbox))
    assert server.run("wait-until-joined").code == 0
    assert "state=ready" in (sandbox.marker() or "")


def test_servers_with_a_majority_keep_their_cluster_when_server_0_comes_back_as_another(
    make_sandbox: MakeSandbox,
) -> None:
    """Seen: they believed a peer with another CA, and set their data aside."""
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    for machine in machines:
        machine.power_off()
    state = sandbox.state
    state["clusters"]["cluster-1"] = {"token": "t", "members": {}, "nodes": {}, "leases": {}, "secrets": []}
    state["machines"][SUBNETS[0]] = {"running": True, "cluster": "cluster-1"}
    sandbox.write(state)
    result = machines[1].boot()
    assert result.code == STOPPED, result.log
    assert "another CA" in result.log
    assert machines[1].on_volume("server/db/etcd/name").exists(), "its data was set aside"
    empty = sandbox.server(2).boot()
    assert empty.code == STOPPED, empty.log
    assert not sandbox.state["clusters"]["cluster-1"]["members"], "joined a stranger"


def test_two_old_copies_do_not_become_the_majority(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    for machine in machines:
        machine.power_off()
    copies = [_copy_of(sandbox, machine, slot) for slot, machine in enumerate(machines) if slot]
    for copy in copies:
        result = copy.boot()
        assert result.code == STOPPED, result.log
        assert "restoring-a-volume" in result.log
        refused = copy.run("adopt-volume", str(copy.volume))
        assert refused.code == STOPPED, "old data among three servers"
    assert not any(machine.get("running") for machine in sandbox.state["machines"].values())


def test_a_copy_is_set_aside_on_command_once_the_cluster_goes_on_without_it(make_sandbox: MakeSandbox) -> None:
    """Found by a random schedule: a copy's membership is never asked, so a server with one could never be told to join again."""
    sandbox = make_sandbox(servers=3)
    first, second, third = sandbox.running_cluster()
    third.power_off()
    copy = _copy_of(sandbox, third, 2)
    stopped = copy.boot()
    assert stopped.code == STOPPED, stopped.log
    assert "sudo /opt/vet/bin/rejoin" in stopped.log, "the message does not name the way out"
    for machine in (first, second):
        machine.power_off()
    refused = copy.run("rejoin")
    assert refused.code == STOPPED, "nobody says that the cluster goes on without this data"
    assert copy.on_volume("server/db/etcd/name").exists()
    for machine in (first, second):
        machine.boot()
    result = copy.run("rejoin")
    assert result.code == 0, result.log
    joined = copy.boot()
    assert joined.decisions() == ["join"], joined.log
    assert sandbox.members() == sorted(SUBNETS), sandbox.members()
    assert sandbox.problems() == []


def test_a_copy_that_waits_for_a_restore_joins_what_was_restored(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    first, second, third = sandbox.running_cluster()
    for machine in (second, third):
        machine.power_off()
    waits, empty = _copy_of(sandbox, third, 2), sandbox.server(1)
    for machine in (waits, empty):
        for program in ("install-rke2", "write-node-identity", "mount-data"):
            assert machine.run(program).code == 0
        assert machine.run("stop-cluster-services", "run-1", "disk").code == 0
    restored = first.run("restore", "disk", "run-1")
    assert restored.code == 0, restored.log
    for machine in (waits, empty):
        result = machine.run("rejoin", "run-1")
        assert result.code == 0, result.log
        assert machine.boot().decisions() == ["join"]
    assert sandbox.members() == sorted(SUBNETS), sandbox.members()
    assert sandbox.problems() == []


def _copy_of(sandbox: Sandbox, machine: Machine, slot: int) -> Machine:
    """A new server whose volume was made of a snapshot of another's."""
    copy = sandbox.server(slot)
    for path in ("signature", "files"):
        source = sandbox.folder / "volumes" / str(machine.volume) / path
        target = copy.on_volume(path, whole=True)
        if target.exists():
            target.rmdir()
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return copy


def test_the_only_servers_volume_comes_back_from_its_snapshot_when_a_person_says_so(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    server.power_off()
    copy = _copy_of(sandbox, server, 0)
    assert copy.boot().code == STOPPED
    assert copy.run("adopt-volume").code == STOPPED, "adopted without saying which"
    assert copy.run("adopt-volume", str(copy.volume)).code == 0
    result = copy.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["start"], result.log


def test_a_data_volume_that_cannot_be_looked_at_is_not_an_empty_one(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    server.before(
        "stat", '[[ $* != *wal* ]] || { echo "stat: Input/output error" >&2; exit 1; }\nexec /usr/bin/stat "$@"'
    )
    log = server.run("gather-facts").log
    assert "data=unknown" in log, log


@pytest.mark.parametrize("value", ["  ", "a b", "a\x07b", "binary"])
def test_what_is_no_token_never_becomes_one(value: str, sandbox: Sandbox) -> None:
    secrets, name = sandbox.client("secretsmanager"), sandbox.inputs.server_token_secret
    if value == "binary":
        secrets.put_secret_value(SecretId=name, SecretBinary=b"\x00\x01")
    else:
        secrets.put_secret_value(SecretId=name, SecretString=value)
    server = sandbox.server(0)
    result = server.boot(VET_MAX_ATTEMPTS="3")
    assert result.code == 1, result.log
    assert not (server.root / "etc/rancher/rke2/token").exists()
    assert sandbox.state["clusters"] == {}


def test_a_server_with_its_data_and_token_starts_without_secrets_manager(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    server.power_off()
    sandbox.change(aws_failures=[["get-secret-value", 4, DENIED.format("GetSecretValue")]])
    result = server.boot()
    assert result.code == 0, result.log
    assert "the token on disk" in result.log


@pytest.mark.parametrize("rotated", [True, False])
def test_the_token_on_disk_stays_unless_it_was_rotated(rotated: bool, sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    secrets, name = sandbox.client("secretsmanager"), sandbox.inputs.server_token_secret
    token = server.root / "etc/rancher/rke2/token"
    if not rotated:
        token.write_text("never-stored\n")
    secrets.put_secret_value(SecretId=name, SecretString="the-new-one")
    result = server.run("tokens", "confirm")
    assert result.code == 0, result.log
    assert token.read_text() == ("the-new-one\n" if rotated else "never-stored\n")
    assert ("warning" in result.log) is not rotated, result.log


def test_a_data_volume_that_is_not_mounted_is_not_taken_for_an_empty_one(make_sandbox: MakeSandbox) -> None:
    """A person says rejoin while the file system is damaged: found by a random schedule."""
    sandbox = make_sandbox(3)
    server = sandbox.running_cluster()[0]
    mounted = server.root / "var/lib/vet/data"
    mounted.unlink()
    mounted.mkdir()
    result = server.run("gather-facts")
    assert "data=unknown" in result.log, result.log
    assert "is not mounted" in result.log, result.log
    for words in (
        ["rejoin"],
        ["archive-etcd-data"],
        ["progress", "read"],
        ["progress", "forget"],
        ["volume-identity", "write"],
    ):
        refused = server.run(*words)
        assert refused.code == STOPPED, f"{words}: {refused.log}"
        assert "is not mounted" in refused.log, f"{words}: {refused.log}"
    assert list(mounted.iterdir()) == [], "written where the next mount hides it"
    assert server.on_volume("server/db/etcd/member/wal").exists()
