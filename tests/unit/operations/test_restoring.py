"""Restores: they refuse what would lose data, stop at the first problem, and resume."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from operations.cluster import lock, restore, restore_record, snapshots
from operations.cluster.lock import KEY as LOCK
from operations.cluster.restore import RestoreRequest
from operations.cluster.restore_record import KEY as RECORD
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Server
from tests.unit.operations.cluster import BODY, SNAPSHOTS, WHOLE, Fake, FakeClient


def test_snapshots_are_listed_newest_first_without_rke2s_notes(prod: Fake) -> None:
    assert [snapshot.name for snapshot in snapshots.snapshots(prod)] == SNAPSHOTS


# Restore


def _lose(prod: Fake, disks: tuple[int, ...] = ()) -> None:
    lost = replace(
        WHOLE, api_ready=False, etcd_healthy=False, quorum="no", members=0, voting=0, servers_ready=0, booted=False
    )
    prod.healths = {slot: replace(lost, data=slot in disks, data_written=1_767_000_000 + slot) for slot in range(3)}


def _recover(prod: Fake) -> Callable[[str, int], None]:
    """What the programs do to a cluster, however often."""
    joined: set[int] = set()

    def after(program: str, slot: int) -> None:
        (run,) = [word for word in prod.calls[-1].split() if len(word) == 12 and word.isalnum()]
        if program == "stop-cluster-services":
            prod.healths[slot] = replace(
                prod.healths[slot], api_ready=False, etcd_healthy=False, quorum="no", restore=f"{run} waiting disk"
            )
        if program in ("restore", "rejoin"):
            joined.add(slot)
            members = len(joined)
            whole = replace(WHOLE, members=members, voting=members, servers_ready=members)
            prod.healths |= dict.fromkeys(joined, replace(whole, restore=f"{run} done disk"))

    return after


ALL = RestoreRequest(auto_approve=True)


def _without_runs(calls: list[str]) -> list[str]:
    """Calls without the name of the run, which differs each time."""
    return [" ".join(word for word in call.split() if not (len(word) == 12 and word.isalnum())) for call in calls]


WHOLE_RESTORE = [
    f"stop-cluster-services 1 {SNAPSHOTS[0]}",
    f"stop-cluster-services 2 {SNAPSHOTS[0]}",
    f"restore 0 {SNAPSHOTS[0]}",
    "rejoin 1",
    "rejoin 2",
]


def test_restore_takes_the_newest_stops_all_resets_one_and_lets_the_others_rejoin_in_turn(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    restore.restore(prod, ALL)
    assert _without_runs(prod.calls) == WHOLE_RESTORE


@pytest.mark.parametrize("name", ["no-such-snapshot", "a'; touch /tmp/x; '", "$(id)", "../x"])
def test_restore_with_a_wrong_name_does_nothing(name: str, prod: Fake) -> None:
    _lose(prod)
    with pytest.raises(Failure, match=r"there is no snapshot|a snapshot's name has"):
        restore.restore(prod, RestoreRequest(name, auto_approve=True))
    assert prod.calls == []


def test_restore_is_refused_on_a_healthy_cluster_without_the_flag(prod: Fake) -> None:
    with pytest.raises(Failure, match="FORCE=yes"):
        restore.restore(prod, ALL)
    assert prod.calls == []


def test_restore_of_a_healthy_cluster_with_the_flag(prod: Fake) -> None:
    prod.after = _recover(prod)
    restore.restore(prod, RestoreRequest(SNAPSHOTS[0], force=True, auto_approve=True))
    assert f"restore 0 {SNAPSHOTS[0]} --healthy-too" in _without_runs(prod.calls)


def test_restore_dry_run_shows_and_changes_nothing(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod)
    before = dict(prod.objects)
    restore.restore(prod, RestoreRequest(dry_run=True))
    assert prod.calls == []
    assert prod.objects == before, "a dry run left something in a bucket"
    shown = capsys.readouterr().out
    assert SNAPSHOTS[0] in shown
    assert "nothing was changed" in shown


@pytest.mark.parametrize("step", range(len(WHOLE_RESTORE)))
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_restore_goes_on_after_an_interruption_anywhere_and_resets_once(step: int, done: bool, prod: Fake) -> None:
    """Without FORCE, although what was restored is healthy by then. A step may have been carried out all the same."""
    _lose(prod)
    recover, seen, resets = _recover(prod), [0], [0]

    def interrupted(program: str, slot: int) -> None:
        seen[0] += 1
        if seen[0] != step + 1 or done:
            recover(program, slot)
            resets[0] += program == "restore"
        if seen[0] == step + 1:
            raise KeyboardInterrupt

    prod.after = interrupted
    with pytest.raises(KeyboardInterrupt):
        restore.restore(prod, ALL)
    first = _runs(prod)
    restore.restore(prod, ALL)
    assert _runs(prod) == first, "the second command began another restore"
    assert _without_runs(prod.calls)[-2:] == ["rejoin 1", "rejoin 2"] or step == 4
    # The same run again is no second reset: the server's own record says so (tests/boot/test_restore.py).
    assert resets[0] <= 1 + (done and step == 2), prod.calls


def _runs(prod: Fake) -> set[str]:
    return {word for call in prod.calls for word in call.split() if len(word) == 12 and word.isalnum()}


def test_the_same_snapshot_a_second_time_is_restored_again(prod: Fake) -> None:
    for force in (False, True):
        _lose(prod)
        prod.after = _recover(prod)
        restore.restore(prod, RestoreRequest(SNAPSHOTS[0], force=force, auto_approve=True))
    assert len(_runs(prod)) == 2, prod.calls
    assert sum(call.startswith("restore") for call in prod.calls) == 2


def test_another_snapshot_while_a_restore_is_in_use_takes_the_flag(prod: Fake) -> None:
    _lose(prod)
    recover = _recover(prod)

    def fail_at_rejoin(program: str, slot: int) -> None:
        if program == "rejoin":
            raise Failure("Session Manager does not reach server 1")
        recover(program, slot)

    prod.after = fail_at_rejoin
    with pytest.raises(Failure, match="does not reach"):
        restore.restore(prod, ALL)
    with pytest.raises(Failure, match="already in use"):
        restore.restore(prod, RestoreRequest(SNAPSHOTS[1], auto_approve=True))


def test_a_second_terminal_is_refused_until_the_first_is_gone(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    place = f"{prod.names.bucket('nodes')}/{LOCK}"
    prod.objects[place] = json.dumps({"operation": "restore", "who": "anna on desk"}).encode()
    with pytest.raises(Failure, match="make restore of anna on desk is at work"):
        restore.restore(prod, ALL)
    assert prod.calls == []
    prod.age[LOCK] = 301
    restore.restore(prod, ALL)
    assert place not in prod.objects, "the lock outlives its holder"


def test_a_server_that_runs_and_cannot_be_asked_stops_it_before_anything(
    prod: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lose(prod)
    answer = prod.healths

    def health(server: Server) -> Health:
        if server.slot == 2:
            raise Failure("Session Manager does not reach server 2")
        return answer[server.slot]

    monkeypatch.setattr(prod, "health", health)
    with pytest.raises(Failure, match="cannot be asked:\n  server 2"):
        restore.restore(prod, ALL)
    assert prod.calls == []


@pytest.mark.parametrize("body", [b"", BODY[:-40], b"<html>" + BODY], ids=["empty", "cut", "something else"])
def test_what_is_not_whole_is_never_the_newest_and_refused_by_name(body: bytes, prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    prod.objects[f"{prod.names.bucket('snapshots')}/vet-prod/later"] = body
    with pytest.raises(Failure, match="later cannot be restored"):
        restore.restore(prod, RestoreRequest("later", auto_approve=True))
    assert prod.calls == []
    restore.restore(prod, ALL)
    assert _without_runs(prod.calls) == WHOLE_RESTORE


def test_a_snapshot_of_another_token_is_refused(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    key, ours = f"vet-prod/{SNAPSHOTS[0]}", hashlib.sha256(b"server-token").hexdigest()[:12]
    prod.metadata[key] = {"rke2-token-hash": "0" * 12}
    with pytest.raises(Failure, match="another join token"):
        restore.restore(prod, ALL)
    assert prod.calls == []
    prod.metadata[key] = {"rke2-token-hash": ours}
    restore.restore(prod, ALL)
    assert _without_runs(prod.calls) == WHOLE_RESTORE


def test_one_whole_disk_is_offered_before_a_snapshot(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod, disks=(1,))
    restore.restore(prod, RestoreRequest(dry_run=True))
    shown = " ".join(capsys.readouterr().out.split())
    assert "the disk of server 1" in shown
    assert "everything since is lost" in shown
    assert "2025-12-29 09:20 UTC" in shown, shown


def test_the_disk_that_is_named_is_taken_where_data_is_on_it(prod: Fake) -> None:
    _lose(prod, disks=(1,))
    prod.after = _recover(prod)
    with pytest.raises(Failure, match="DISK=2: no etcd data is on server 2; it is on server 1"):
        restore.restore(prod, RestoreRequest(disk=2, auto_approve=True))
    with pytest.raises(Failure, match="name one of them"):
        restore.restore(prod, RestoreRequest(SNAPSHOTS[0], disk=1, auto_approve=True))
    assert prod.calls == []
    restore.restore(prod, RestoreRequest(disk=1, auto_approve=True))
    assert _without_runs(prod.calls)[2:] == ["restore 1 disk", "rejoin 0", "rejoin 2"]


@pytest.mark.parametrize("answer", ["disk", "snapshot"])
def test_a_person_chooses_between_the_disk_and_the_snapshot(
    answer: str, prod: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lose(prod, disks=(1,))
    prod.after = _recover(prod)
    monkeypatch.setattr("operations.cluster.restore_choice.Prompt.ask", lambda *_, **__: answer)
    monkeypatch.setattr("operations.cluster.restore.agreed", lambda *_: True)
    restore.restore(prod, RestoreRequest())
    assert ("restore 1 disk" in _without_runs(prod.calls)) is (answer == "disk"), prod.calls


def test_a_single_server_is_reset_a_second_time_by_the_same_snapshot() -> None:
    dev = Fake("dev")
    folder = f"{dev.names.bucket('snapshots')}/vet-dev"
    dev.objects |= {f"{folder}/{SNAPSHOTS[0]}": BODY}
    for force in (False, True):
        _lose(dev)
        dev.after = _recover(dev)
        restore.restore(dev, RestoreRequest(SNAPSHOTS[0], force=force, auto_approve=True))
    assert len(_runs(dev)) == 2, dev.calls
    assert [call.split()[0] for call in dev.calls] == ["restore", "restore"]


def test_a_majority_of_whole_disks_is_brought_back_and_not_restored(prod: Fake) -> None:
    _lose(prod, disks=(0, 2))
    with pytest.raises(Failure, match="a majority of 3: with them running nothing is lost"):
        restore.restore(prod, ALL)
    assert prod.calls == []


def test_fewer_votes_than_servers_are_said(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod)
    prod.down, prod.after = {2}, _recover(prod)
    restore.restore(prod, ALL)
    assert "2 of 3 servers vote" in " ".join(capsys.readouterr().out.split())


def test_a_record_that_cannot_be_read_stops_it(prod: Fake) -> None:
    _lose(prod)
    prod.objects[f"{prod.names.bucket('nodes')}/{RECORD}"] = b"<html>"
    with pytest.raises(Failure, match="no record of a restore"):
        restore.restore(prod, ALL)
    assert prod.calls == []


# Giving up, and what a working cluster does not take


def test_a_cluster_with_a_majority_is_not_restored_although_a_member_is_missing(prod: Fake) -> None:
    """etcd's members are not all healthy then, and it takes writes."""
    prod.healths = dict.fromkeys(range(3), replace(WHOLE, etcd_healthy=False, quorum="yes"))
    with pytest.raises(Failure, match="etcd has a majority on server 0, server 1, server 2"):
        restore.restore(prod, ALL)
    assert prod.calls == []


def test_what_cannot_be_asked_about_its_majority_is_not_restored_without_the_flag(prod: Fake) -> None:
    _lose(prod)
    prod.healths[1] = replace(prod.healths[1], etcd_known=False, quorum="unknown")
    with pytest.raises(Failure, match=r"it cannot be told whether etcd has a majority on server 1[^0-9]"):
        restore.restore(prod, ALL)
    assert prod.calls == []
    prod.after = _recover(prod)
    restore.restore(prod, RestoreRequest(force=True, auto_approve=True))
    assert f"restore 0 {SNAPSHOTS[0]} --healthy-too" in _without_runs(prod.calls)


def _begin_and_stop(prod: Fake, at: int, request: RestoreRequest = ALL) -> str:
    """Begin a restore that is interrupted before its step number ``at``; the name of its run."""
    seen, recover = [0], _recover(prod)

    def interrupted(program: str, slot: int) -> None:
        seen[0] += 1
        if seen[0] > at:
            raise KeyboardInterrupt
        recover(program, slot)

    prod.after = interrupted
    with pytest.raises(KeyboardInterrupt):
        restore.restore(prod, request)
    (run,) = _runs(prod)
    prod.calls.clear()
    return run


def test_an_unfinished_restore_does_not_reset_a_cluster_that_works_again(prod: Fake) -> None:
    """Its servers were brought back in another way, months may have passed, and doctor says to run the command again."""
    _lose(prod)
    _begin_and_stop(prod, 2)
    prod.healths = dict.fromkeys(range(3), WHOLE)
    with pytest.raises(Failure, match=r"begun 20\d\d-.*is unfinished, and etcd has a majority.*\n.*GIVE_UP=yes"):
        restore.restore(prod, ALL)
    assert prod.calls == []
    prod.after = _recover(prod)
    restore.give_up(prod, auto_approve=True)
    assert prod.calls == [], "servers that have no part in it were told something"
    assert restore_record.read(prod) is None, "it is unfinished still"
    with pytest.raises(Failure, match="FORCE=yes"):  # a new one, of a cluster that works
        restore.restore(prod, ALL)


def test_given_up_servers_start_again_with_their_data_and_one_that_was_off_later(prod: Fake) -> None:
    _lose(prod)
    run = _begin_and_stop(prod, 2)
    prod.after, prod.down = lambda *_: None, {2}
    restore.give_up(prod, auto_approve=True)
    assert prod.calls == ["progress 1 forget"]
    prod.down = set()
    assert prod.healths[2].at(run) == "waiting"
    prod.calls.clear()
    restore.give_up(prod, auto_approve=True)
    assert "progress 2 forget" in prod.calls


@pytest.mark.parametrize("step", ["resetting", "reset", "done"])
def test_what_was_reset_is_not_given_up(step: str, prod: Fake) -> None:
    """The others, with their old data, would be a second cluster beside it."""
    _lose(prod)
    run = _begin_and_stop(prod, 2)
    prod.healths[0] = replace(prod.healths[0], restore=f"{run} {step} {SNAPSHOTS[0]}")
    with pytest.raises(Failure, match="second cluster"):
        restore.give_up(prod, auto_approve=True)
    prod.healths[0] = replace(prod.healths[0], restore="")
    prod.down = {0}
    with pytest.raises(Failure, match=r"server 0, with which .* does not run, so it may have been reset"):
        restore.give_up(prod, auto_approve=True)
    assert prod.calls == []
    assert restore_record.read(prod) is not None


def test_a_forced_restore_that_was_interrupted_needs_no_second_flag(prod: Fake) -> None:
    _begin_and_stop(prod, 0, RestoreRequest(SNAPSHOTS[0], force=True, auto_approve=True))
    prod.after = _recover(prod)
    restore.restore(prod, ALL)
    assert f"restore 0 {SNAPSHOTS[0]} --healthy-too" in _without_runs(prod.calls)


# The lock


def test_a_renewal_whose_answer_was_lost_keeps_the_lock(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    with lock.lock(prod, "restore") as held:
        stored = prod.put_tags
        put = FakeClient.put_object

        def lost(client: FakeClient, **words: Any) -> dict[str, Any]:
            put(client, **words)
            raise EndpointConnectionError(endpoint_url="s3")

        monkeypatch.setattr(FakeClient, "put_object", lost)
        held.renew()
        monkeypatch.setattr(FakeClient, "put_object", put)
        held.renew()  # refused: its tag is an old one
        held.renew()
        held.check()
        assert prod.put_tags > stored + 1, "it was not renewed again"


def test_a_lock_that_somebody_took_over_stops_before_the_next_step(prod: Fake) -> None:
    _lose(prod)
    recover = _recover(prod)

    def taken(program: str, slot: int) -> None:
        recover(program, slot)
        client = prod.client("s3")
        client.put_object(prod.names.bucket("nodes"), LOCK, b'{"operation": "restore", "who": "anna"}')
        for held in holding:
            held.renew()

    holding: list[lock.Held] = []
    prod.after = taken
    make = lock.Held.__init__

    def remember(held: lock.Held, *words: Any) -> None:
        make(held, *words)
        holding.append(held)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock.Held, "__init__", remember)
        with pytest.raises(Failure, match="taken over by somebody else"):
            restore.restore(prod, ALL)
    assert len(prod.calls) == 1, prod.calls
