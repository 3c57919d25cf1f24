"""``make restore ENV=dev SNAPSHOT=name``, or ``DISK=slot``: bring the cluster back from a snapshot, or from one server's disk.

One server becomes the whole cluster; the others give up their data (it is moved aside, never deleted) and join again, one
at a time. Running the command again goes on where it stopped, whatever stopped it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from operations.cluster import restore_record
from operations.cluster.lock import Held, lock
from operations.cluster.restore_choice import choose
from operations.cluster.restore_record import DISK, Record
from operations.shared.consent import agreed
from operations.shared.console import terminal, waiting
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Cluster, Server, names_of

console = terminal()

RESET = ("resetting", "reset", "leaving", "left", "done")
"""Steps of a server (``nodes/bin/progress``) after which the chosen one is the cluster, or is becoming it."""


@dataclass(frozen=True)
class RestoreRequest:
    """What a person asked for."""

    snapshot: str | None = None
    disk: int | None = None
    """Slot of the server whose disk is wanted."""

    force: bool = False
    dry_run: bool = False
    auto_approve: bool = False


def restore(cluster: Cluster, request: RestoreRequest) -> None:
    """Restore, or go on with what was begun.

    Raises:
        Failure: There is nothing to restore, the cluster is healthy and ``force`` is not given, somebody else is at it,
            or a server fails.
    """
    if request.dry_run:
        _prepare(cluster, request)
        console.print("dry run: nothing was changed")
        return
    with lock(cluster, "restore") as held:
        record = _prepare(cluster, request)
        if not request.auto_approve and not agreed(console, f"Restore {cluster.names.base}: {record.source}?"):
            raise Failure("nothing was changed")
        record.forced = record.forced or request.force
        _carry_out(cluster, record, held)


def give_up(cluster: Cluster, *, auto_approve: bool = False) -> None:
    """End a restore that was begun and has reset nothing: the servers that wait start again with the data that they have.

    Raises:
        Failure: none is unfinished, a server was reset already or may have been, one cannot be asked, or a person does not agree.
    """
    with lock(cluster, "restore") as held:
        record = restore_record.last(cluster)
        if record is None or (record.finished and not record.given_up):
            raise Failure(f"no restore of {cluster.names.base} is unfinished", "Nothing was changed")
        servers = [server for server in cluster.servers() if server.running]
        healths = _ask_all(cluster, servers)
        chosen = [server for server in servers if server.slot == record.slot]
        reset = record.reset or any(health.at(record.run) in RESET for health in healths.values())
        if reset or not chosen:
            raise Failure(
                f"server {record.slot} is the cluster already, or is about to be, for the restore of {record.source}"
                if chosen
                else f"server {record.slot}, with which the restore of {record.source} began, does not run, so it may have been reset",
                "If the others started with their old data, they would be a second cluster. Finish it:"
                f" make restore ENV={cluster.environment.name}. Nothing was changed",
            )
        waiting_servers = [server for server, health in healths.items() if health.at(record.run)]
        console.print(
            f"give up    the restore of {record.source}{_begun(record)}; {names_of(waiting_servers)} would wait for it"
        )
        if not auto_approve and not agreed(console, "Let them start with the data that they have?"):
            raise Failure("nothing was changed")
        for server in waiting_servers:
            _step(cluster, server, held, "progress", "giving up on", "forget")
        record.finished = record.given_up = True
        restore_record.write(cluster, record)
        console.print(
            "[green]given up[/]  the servers decide by their data, as at every boot: make doctor shows how they are"
        )


def _prepare(cluster: Cluster, request: RestoreRequest) -> Record:
    """Everything that is asked before anything stops; shows what will be done."""
    servers = [server for server in cluster.servers() if server.running]
    if not servers:
        raise Failure(
            f"no server of {cluster.names.base} runs: make deploy ENV={cluster.environment.name} first;"
            " their volumes are kept"
        )
    with waiting(console, "asking the servers how they are"):
        healths = _ask_all(cluster, servers)
    unfinished = restore_record.read(cluster)
    if unfinished is not None and _goes_on(unfinished, request):
        record = unfinished
        if record.slot not in {server.slot for server in servers}:
            raise Failure(
                f"this restore began on server {record.slot}, which does not run:"
                f" make deploy ENV={cluster.environment.name} brings it back, then run the same command again"
            )
        if not record.reset and not record.forced:
            _refuse_on_working(cluster, healths, record, force=request.force)
    else:
        _refuse_on_healthy(healths, force=request.force)
        record = choose(
            cluster, healths, request.snapshot, request.disk, auto_approve=request.auto_approve or request.dry_run
        )
        record.begun = f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}"
    _show_plan(cluster, record, servers, resumed=record is unfinished)
    return record


def _ask_all(cluster: Cluster, servers: list[Server]) -> dict[Server, Health]:
    """How every server is. One that runs and cannot be asked may go on with the old data, so it stops the restore."""
    healths, silent = {}, []
    for server in servers:
        try:
            healths[server] = cluster.health(server)
        except Failure as failure:
            silent.append(f"server {server.slot}: {failure}")
    if silent:
        raise Failure(
            "stopping before anything is changed, because a server that runs cannot be asked:\n  "
            + "\n  ".join(silent)
            + "\nWait until Session Manager reaches it, or stop that machine; then run the same command again"
        )
    return healths


def _goes_on(unfinished: Record, request: RestoreRequest) -> bool:
    """Whether the unfinished restore is what is asked for."""
    another = (request.snapshot is not None and request.snapshot != unfinished.source) or (
        request.disk is not None and (unfinished.source, unfinished.slot) != (DISK, request.disk)
    )
    if not another:
        return True
    if unfinished.reset and not request.force:
        raise Failure(
            f"the restore of {unfinished.source} is unfinished, and its cluster is already in use.\n"
            "To finish it: make restore without SNAPSHOT and DISK. To give it up and lose what was written since: FORCE=yes"
        )
    return False


def _refuse_on_healthy(healths: dict[Server, Health], *, force: bool) -> None:
    """A majority takes writes, though a member may be missing; and what cannot be asked may be a majority."""
    if force:
        return
    if working := [server for server, health in healths.items() if health.works]:
        raise Failure(
            f"etcd has a majority on {names_of(working)}: the cluster is healthy enough to work, and a restore would undo"
            " everything since.\nIf that is wanted, say so: FORCE=yes"
        )
    if unknown := [server for server, health in healths.items() if health.works is None]:
        raise Failure(
            f"it cannot be told whether etcd has a majority on {names_of(unknown)}, and then a restore would undo everything since.\n"
            "Look there: sudo /opt/vet/bin/health. If it has none, say so: FORCE=yes. Nothing was changed"
        )


def _refuse_on_working(cluster: Cluster, healths: dict[Server, Health], record: Record, *, force: bool) -> None:
    """Before the reset of an unfinished restore: a server that has no part in it and works was brought back in another way."""
    working = [server for server, health in healths.items() if health.works is not False and not health.at(record.run)]
    if working and not force:
        raise Failure(
            f"the restore of {record.source}{_begun(record)} is unfinished, and etcd has a majority on {names_of(working)}, or"
            " cannot say so: a restore would undo everything since.\n"
            f"If the cluster works again, end it: make restore ENV={cluster.environment.name} GIVE_UP=yes. To restore all the"
            " same: FORCE=yes. Nothing was changed"
        )


def _begun(record: Record) -> str:
    return f", begun {record.begun}" if record.begun else ""


def _show_plan(cluster: Cluster, record: Record, servers: list[Server], *, resumed: bool) -> None:
    others = [server for server in servers if server.slot != record.slot]
    console.rule(f"restore {cluster.names.base}")
    source = f"the disk of server {record.slot}" if record.source == DISK else record.source
    console.print(f"source     {source}" + (f"; going on with the restore {record.run}" if resumed else ""))
    if record.reset:
        console.print(f"done       server {record.slot} is the cluster already")
    else:
        console.print(f"1. stop the cluster on {names_of(others)}, where it stays stopped until step 3")
        console.print(f"2. reset etcd on server {record.slot}; a database that is replaced is kept next to the new one")
    console.print(f"3. {names_of(others)}: move the data aside and join again, one at a time")
    missing = cluster.environment.servers.count - len(servers)
    if missing:
        console.print(
            f"[yellow]{missing} of {cluster.environment.servers.count} servers have no running machine[/]: fewer will vote"
            f" until make deploy ENV={cluster.environment.name} has made them and they have joined"
        )


def _carry_out(cluster: Cluster, record: Record, held: Held) -> None:
    servers = {server.slot: server for server in cluster.servers() if server.running}
    others = [slot for slot in servers if slot != record.slot]
    restore_record.write(cluster, record)
    if not record.reset:
        for slot in others:  # again after an interruption: a machine may have come since
            _step(cluster, servers[slot], held, "stop-cluster-services", "stopping", record.run, record.source)
            record.waiting = sorted({*record.waiting, slot})
            restore_record.write(cluster, record)
        options = ["--healthy-too"] if record.forced else []
        _step(cluster, servers[record.slot], held, "restore", "restoring", record.source, record.run, *options)
        record.reset = True
        restore_record.write(cluster, record)
    for slot in others:
        if slot not in record.rejoined:
            _step(cluster, servers[slot], held, "rejoin", "rejoining", record.run)
            record.rejoined = sorted({*record.rejoined, slot})
            restore_record.write(cluster, record)
    health, wanted = cluster.health(servers[record.slot]), cluster.environment.servers.count
    if problems := health.problems(len(servers)):
        raise Failure(f"restored, but not whole yet: {'; '.join(problems)}. Look again with the same command")
    record.finished = True
    restore_record.write(cluster, record)
    console.print(f"[green]restored[/] {record.source}; {health.voting} of {wanted} servers vote")
    if health.voting < wanted:
        console.print(f"next: make deploy ENV={cluster.environment.name}; until then the loss of one more may end it")


def _step(cluster: Cluster, server: Server, held: Held, program: str, doing: str, *arguments: str) -> None:
    held.check()
    with waiting(console, f"{doing} server {server.slot}; minutes, follow with: journalctl -ft vet"):
        cluster.run(server, program, *arguments)
    console.print(f"[green]done[/]  {program} on server {server.slot}, {datetime.now(UTC):%H:%M} UTC")
