"""Every row of the decision table, and what surrounds it, with whole servers in a sandbox."""

import json
from collections.abc import Callable

from tests.boot.sandbox import STOPPED, SUBNETS, Sandbox

MakeSandbox = Callable[..., Sandbox]


def test_server_0_initialises_an_empty_environment(sandbox: Sandbox) -> None:
    result = sandbox.server(0).boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["claim"], result.log
    assert list(sandbox.state["clusters"]) == ["cluster-0"]
    assert "state=ready" in (sandbox.marker() or ""), sandbox.marker()
    assert sandbox.ca() == "CA of cluster-0"
    assert len(sandbox.secret("server-token") or "") == 64


def test_a_second_boot_changes_nothing(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    server.boot()
    before = (
        sandbox.marker(),
        sandbox.secret("server-token"),
        sandbox.secret("agent-token"),
        sandbox.ca(),
        sandbox.members(),
    )
    config = server.config()
    server.power_off()
    result = server.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["start"], result.log
    assert (
        sandbox.marker(),
        sandbox.secret("server-token"),
        sandbox.secret("agent-token"),
        sandbox.ca(),
        sandbox.members(),
    ) == before
    assert server.config() == config
    assert len(server.calls("mkfs.ext4")) == 1, "formatted again at the second boot"
    assert (server.root / "etc/fstab").read_text().count("vet/data ext4") == 1, "fstab grew"


def test_other_servers_join_a_specific_server_and_never_a_load_balancer(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.bootstrap_cluster()
    assert sandbox.members() == sorted(SUBNETS)
    for machine in machines[1:]:
        peers = {f"https://{address}:9345" for address in SUBNETS if address != machine.address}
        assert machine.config()["server"] in peers, machine.config()["server"]
        assert not [call for call in machine.calls("curl") if "api.test" in call], "a server asked the load balancer"


def test_after_initialising_server_0_would_join_too(make_sandbox: MakeSandbox) -> None:
    """A wiped database and a hasty "systemctl start rke2-server" must not make a second cluster."""
    sandbox = make_sandbox(servers=3)
    first = sandbox.bootstrap_cluster()[0]
    assert first.config()["server"] == f"https://{SUBNETS[1]}:9345"


def test_server_with_data_that_peers_list_starts(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    machines[1].power_off()
    result = machines[1].boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["start"], result.log
    assert "membership: member" in result.log
    assert sandbox.members() == sorted(SUBNETS)


def test_all_servers_with_data_start_without_any_peer(make_sandbox: MakeSandbox) -> None:
    """A cold start of everything: the first to boot sees nobody, and starts all the same."""
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    for machine in machines:
        machine.power_off()
    sandbox.change(sleep=0.2)
    results = [
        machine.finish(process) for machine, process in [(machine, machine.begin("boot")) for machine in machines]
    ]
    for result in results:
        assert result.code == 0, result.log
        assert result.decisions() == ["start"], result.log
    assert sandbox.problems() == []


def test_an_environment_that_slept_over_the_weekend_is_healthy_again(sandbox: Sandbox) -> None:
    """Its schedule stopped the server and ended the agents: the stored credentials have expired, and Nodes of machines
    that are gone are left."""
    server = sandbox.running_cluster()[0]
    expired = '{"kind":"ExecCredential","status":{"token":"old","expirationTimestamp":"2020-01-01T00:00:00Z"}}'
    sandbox.client("secretsmanager").put_secret_value(
        SecretId=f"{sandbox.inputs.credentials_secret_prefix}/admin", SecretString=expired
    )
    server.power_off()
    state = sandbox.state
    gone = {
        "server": False,
        "ready": "Unknown",
        "provider": "aws:///us-east-1a/i-0123456789abcdef0",
        "address": "10.0.10.77",
    }
    state["clusters"]["cluster-0"]["nodes"]["ip-10-0-10-77.ec2.internal"] = gone
    sandbox.write(state)
    result = server.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["start"], result.log
    assert "2020-01-01" not in (sandbox.secret("credentials/admin") or ""), "the expired credentials are still stored"
    assert server.run("remove-terminated-agents").code == 0
    assert list(sandbox.state["clusters"]["cluster-0"]["nodes"]) == [server.name]
    assert sandbox.problems() == []


def test_server_whose_member_was_removed_moves_its_data_aside_and_joins(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    removed = machines[2]
    old_data = removed.on_volume("server/db/etcd/name").read_text()
    removed.power_off()
    state = sandbox.state
    cluster = state["clusters"]["cluster-0"]
    cluster["members"] = {
        name: member for name, member in cluster["members"].items() if member["address"] != removed.address
    }
    del cluster["nodes"][removed.name]
    sandbox.write(state)
    result = removed.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["archive", "join"], result.log
    assert sandbox.members() == sorted(SUBNETS)
    archived = list((sandbox.folder / "volumes" / str(removed.volume)).glob("files/set-aside/*/db/etcd/name"))
    assert [path.read_text() for path in archived] == [old_data], "the old data was not kept"


def test_replaced_server_0_with_its_data_starts(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    first = sandbox.running_cluster()[0]
    first.power_off()
    result = sandbox.server(0, first.volume).boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["start"], result.log
    assert sandbox.problems() == []
    assert sandbox.members() == sorted(SUBNETS)


def test_replaced_server_0_without_its_data_joins_and_never_starts_a_second_cluster(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[0].power_off()
    replacement = sandbox.server(0)
    result = replacement.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["join"], result.log
    assert sandbox.problems() == []
    assert sandbox.members() == sorted(SUBNETS)
    deleted = replacement.calls("delete node ip-10-0-10-10.ec2.internal")
    started = replacement.calls("systemctl start rke2-server")
    calls = replacement.calls()
    assert calls.index(deleted[0]) < calls.index(started[0]), "joined before its stale Node was deleted"
    assert replacement.calls("delete secret ip-10-0-10-10.ec2.internal.node-password.rke2"), "stale node password kept"


def test_only_server_lost_with_its_data_stops_and_says_restore_needed(sandbox: Sandbox) -> None:
    sandbox.running_cluster()[0].power_off()
    result = sandbox.server(0).boot()
    assert result.code == STOPPED, result.log
    assert "restore needed" in result.log
    assert "make restore ENV=" in result.log
    assert sandbox.problems() == []


def test_all_servers_lost_with_their_data_never_start_a_second_cluster(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    for machine in sandbox.running_cluster():
        machine.power_off()
    for slot in range(3):
        result = sandbox.server(slot).boot()
        assert result.code == 1, f"another server may still come back, so systemd tries again:\n{result.log}"
        assert "restore needed" in result.log
        assert "make restore ENV=" in result.log
    assert sandbox.problems() == []


def test_server_1_waits_while_nothing_exists(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    result = sandbox.server(1).boot()
    assert result.code == 1, "bounded: it gives up, and systemd starts it again"
    assert result.decisions() == ["wait"], result.log
    assert sandbox.state["clusters"] == {}
    assert sandbox.marker() is None


def test_server_0_of_another_volume_does_not_take_over_an_unfinished_marker(sandbox: Sandbox) -> None:
    unfinished = sandbox.server(0)
    unfinished.crash_after("--if-none-match")
    unfinished.boot()
    assert "state=initialising" in (sandbox.marker() or "")
    result = sandbox.server(0).boot()
    assert result.code == STOPPED, result.log
    assert "start-over vet-dev" in result.log, "no way out is named"
    assert sandbox.state["clusters"] == {}


def test_other_servers_wait_while_server_0_initialises_however_long_that_takes(make_sandbox: MakeSandbox) -> None:
    """Its images may come slowly: "restore needed" would end the others permanently."""
    sandbox = make_sandbox(servers=3)
    sandbox.server(0).run("marker", "claim")
    result = sandbox.server(1).boot(VET_MAX_ATTEMPTS="8")
    assert result.code == 1, f"bounded, and tried again by systemd:\n{result.log}"
    assert result.decisions() == ["wait"], result.log


def test_unfinished_initialisation_is_carried_on_by_a_replacement_with_the_same_volume(sandbox: Sandbox) -> None:
    unfinished = sandbox.server(0)
    unfinished.crash_after("--if-none-match")
    unfinished.boot()
    result = sandbox.server(0, unfinished.volume).boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["initialise"], result.log
    assert list(sandbox.state["clusters"]) == ["cluster-0"]


def test_an_environment_created_anew_starts_clean(make_sandbox: MakeSandbox) -> None:
    """The marker's key holds the VPC's id: the old one, had it survived, does not stop a new VPC."""
    sandbox = make_sandbox()
    client = sandbox.client("s3")
    client.put_object(
        Bucket=sandbox.inputs.nodes_bucket, Key="marker/vpc-of-yesterday", Body=b"state=ready\nvolume=vol-gone\n"
    )
    result = sandbox.server(0).boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["claim"], result.log


def test_unreachable_peer_is_passed_over_for_one_that_answers(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[2].power_off()
    sandbox.change(unreachable=[SUBNETS[0]])
    replacement = sandbox.server(2)
    result = replacement.boot()
    assert result.code == 0, result.log
    assert f"joining through {SUBNETS[1]}" in result.log
    assert sandbox.problems() == []


def test_joining_is_refused_without_quorum(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    machines[1].power_off()
    machines[2].power_off()
    result = sandbox.server(2).boot()
    assert result.code != 0
    assert "no quorum" in result.log, result.log
    assert len(sandbox.state["clusters"]["cluster-0"]["members"]) == 3, "a member was removed without quorum"
    assert sandbox.problems() == []


def test_half_joined_server_carries_on_with_its_data(make_sandbox: MakeSandbox) -> None:
    """Crashed between being added and being promoted: etcd lists it by address and without a name."""
    sandbox = make_sandbox(servers=2)
    second = sandbox.running_cluster()[1]
    second.power_off()
    state = sandbox.state
    cluster = state["clusters"]["cluster-0"]
    cluster["members"][f"{second.name}-1"] |= {"started": False, "learner": True}
    del cluster["nodes"][second.name]
    sandbox.write(state)
    result = second.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["start"], result.log


def test_stale_member_that_never_had_a_node_is_removed_before_joining(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=2)
    sandbox.running_cluster()[1].power_off()
    state = sandbox.state
    cluster = state["clusters"]["cluster-0"]
    member = next(member for member in cluster["members"].values() if member["address"] == SUBNETS[1])
    member |= {"started": False, "learner": True}
    del cluster["nodes"]["ip-10-0-11-10.ec2.internal"]
    sandbox.write(state)
    replacement = sandbox.server(1)
    result = replacement.boot()
    assert result.code == 0, result.log
    assert replacement.calls("member remove"), "the stale learner was left"
    assert sandbox.members() == sorted(SUBNETS[:2])


def test_a_machine_with_another_address_than_its_slot_stops(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    facts = json.loads((server.folder / "metadata.json").read_text())
    (server.folder / "metadata.json").write_text(json.dumps(facts | {"local-ipv4": "10.0.10.99"}))
    result = server.boot()
    assert result.code == STOPPED, result.log
    assert "10.0.10.99" in result.log
    assert sandbox.state["clusters"] == {}
