"""``make restore ENV=dev SNAPSHOT=name``: bring the cluster back from an etcd snapshot.

The first running server becomes the whole cluster; the others give up their data (it is moved aside, never deleted) and
join again, one at a time. Running the command again goes on where it stopped.
"""

import argparse

from rich.console import Console
from rich.prompt import Confirm

from operations.failure import Failure, guided
from operations.servers import Cluster, Health, Server, names_of
from operations.snapshots import Snapshot, snapshots

console = Console(highlight=False)


def restore(
    cluster: Cluster, wanted: str | None, *, force: bool = False, dry_run: bool = False, unattended: bool = False
) -> None:
    """Restore a snapshot by name, or the newest.

    Raises:
        Failure: There is no such snapshot, the cluster is healthy and ``force`` is not given, or a server fails.
    """
    snapshot = _choose(snapshots(cluster), wanted)
    servers = [server for server in cluster.servers() if server.running]
    if not servers:
        raise Failure(
            f"no server of {cluster.names.base} runs: make deploy ENV={cluster.environment.name} first;"
            " their volumes are kept"
        )
    first, others = servers[0], servers[1:]
    healths = {server: _ask(cluster, server) for server in servers}
    resumed = _restored(healths[first], snapshot)
    _refuse_on_healthy(healths, resumed=resumed, force=force)
    _show_plan(cluster, snapshot, first, others, resumed=resumed)
    if dry_run:
        console.print("dry run: nothing was changed")
        return
    if not unattended and not Confirm.ask(f"Restore {cluster.names.base} to {snapshot.name}?", default=False):
        raise Failure("nothing was changed")
    if not resumed:
        for server in others:
            _step(cluster, server, "quiesce", "stopping")
        _step(cluster, first, "restore", "restoring", snapshot.name, *(["--healthy-too"] if force else []))
    for server in others:
        state = healths[server]
        if resumed and state is not None and not state.doubts(len(servers)):
            console.print(f"server {server.slot} is back already")
            continue
        _step(cluster, server, "rejoin", "rejoining")
    doubts = cluster.health(first).doubts(len(servers))
    if doubts:
        raise Failure(
            f"restored, but not whole yet: {'; '.join(doubts)}. Look again with: make restore with the same snapshot"
        )
    console.print(f"[green]restored[/] {snapshot.name}; {len(servers)} etcd member(s) vote")


def _choose(found: list[Snapshot], wanted: str | None) -> Snapshot:
    if not found:
        raise Failure("there are no snapshots to restore (make snapshots ENV=...)")
    if wanted is None:
        return found[0]
    for snapshot in found:
        if snapshot.name == wanted:
            return snapshot
    newest = "\n".join(f"  {snapshot.name}" for snapshot in found[:3])
    raise Failure(f"there is no snapshot {wanted!r}; the newest are:\n{newest}")


def _ask(cluster: Cluster, server: Server) -> Health | None:
    try:
        return cluster.health(server)
    except Failure as failure:
        console.print(f"[yellow]server {server.slot} does not say how it is[/]: {failure}")
        return None


def _restored(health: Health | None, snapshot: Snapshot) -> bool:
    """Whether an earlier run has brought the first server back from this very snapshot, and others are still to
    rejoin."""
    return health is not None and health.restored == snapshot.name and health.api_ready and health.members < 2


def _refuse_on_healthy(healths: dict[Server, Health | None], *, resumed: bool, force: bool) -> None:
    healthy = [server for server, health in healths.items() if health is not None and health.etcd_healthy]
    if healthy and not force and not (resumed and len(healths) > 1):
        raise Failure(
            f"the cluster is healthy on {names_of(healthy)}, and a restore would undo everything since the snapshot.\n"
            "If that is wanted, say so: FORCE=yes"
        )


def _show_plan(cluster: Cluster, snapshot: Snapshot, first: Server, others: list[Server], *, resumed: bool) -> None:
    console.rule(f"restore {cluster.names.base}")
    console.print(f"snapshot   {snapshot.name}, taken {snapshot.taken:%Y-%m-%d %H:%M} UTC")
    if resumed:
        console.print(f"done       server {first.slot} is restored already")
    else:
        console.print(f"1. stop the cluster on {names_of(others)}")
        console.print(f"2. reset etcd on server {first.slot} to the snapshot; its present database is kept beside it")
    console.print(f"3. {names_of(others)}: move the data aside and join again, one at a time")


def _step(cluster: Cluster, server: Server, program: str, doing: str, *arguments: str) -> None:
    with console.status(f"{doing} server {server.slot}; minutes, follow with: journalctl -ft vet"):
        cluster.run(server, program, *arguments)
    console.print(f"[green]done[/]  {program} on server {server.slot}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__.splitlines()[0])
    parser.add_argument("environment")
    parser.add_argument("snapshot", nargs="?", help="name; left out, the newest")
    parser.add_argument("--force", action="store_true", help="although the cluster is healthy")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done")
    parser.add_argument("--yes", action="store_true", help="without asking")
    asked = parser.parse_args()
    guided(
        lambda: restore(
            Cluster(asked.environment), asked.snapshot, force=asked.force, dry_run=asked.dry_run, unattended=asked.yes
        )
    )
