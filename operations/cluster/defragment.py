"""``make defragment ENV=prod``: give back what etcd's database no longer uses, one server at a time, and clear the alarm of a full one.

The database never becomes smaller by itself: what is deleted leaves room inside. At its quota etcd raises the alarm NOSPACE and
refuses every write until room was made and the alarm cleared (etcd.io: maintenance).
"""

from rich.filesize import decimal

from operations.cluster.lock import lock
from operations.shared.consent import agreed
from operations.shared.console import terminal, waiting
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Cluster, Server

console = terminal()


def defragment(cluster: Cluster, *, dry_run: bool = False, auto_approve: bool = False) -> None:
    """Defragment every server that runs, then clear the alarms. Each step may be repeated.

    :param dry_run: show how full they are, and do nothing.

    Raises:
        Failure: no server runs, one cannot be asked or does not come back, or the alarm comes back.
    """
    if dry_run:
        _ask_all(cluster)
        return
    with lock(cluster, "defragment") as held:
        healths = _ask_all(cluster)
        servers = list(healths)
        if not auto_approve and not agreed(console, "Defragment them, one after the other?"):
            raise Failure("nothing was changed")
        for server in servers:
            held.check()
            with waiting(console, f"defragmenting server {server.slot}: seconds for each GiB"):
                cluster.run(server, "defragment", seconds=900)
            after = _back(cluster, server, before=healths[server])
            console.print(f"[green]done[/]  server {server.slot}: {_room(after)}")
        if any(health.alarms for health in healths.values()):
            cluster.run(servers[0], "defragment", "disarm", seconds=120)
            console.print(
                "[green]done[/]  the alarm is cleared; what filled the database: docs/runbooks/lost-quorum.md"
            )


def _ask_all(cluster: Cluster) -> dict[Server, Health]:
    """How every server is that runs; each is shown. Raises ``Failure`` if none runs, or one cannot be asked."""
    servers = [server for server in cluster.servers() if server.running]
    if not servers:
        raise Failure(f"no server of {cluster.names.base} runs; docs/runbooks/lost-server.md tells how to look")
    with waiting(console, "asking the servers how full etcd is"):
        healths = {server: cluster.health(server) for server in servers}
    for server, health in healths.items():
        console.print(f"server {server.slot}: {_room(health)}")
    return healths


def _back(cluster: Cluster, server: Server, *, before: Health) -> Health:
    """How a server is that was busy. Raises ``Failure`` when it is not as it was, since the next one must not go, too."""
    after = cluster.health(server)
    if not after.api_ready or (before.etcd_healthy and not after.etcd_healthy):
        raise Failure(
            f"server {server.slot} is not as it was before: {'etcd is not healthy' if after.api_ready else 'no API'}.\n"
            "No other server was touched. docs/runbooks/lost-server.md tells how to look; then run the same command again"
        )
    return after


def _room(health: Health) -> str:
    sizes = f"{decimal(health.database_bytes)} of disk, {decimal(health.database_bytes_in_use)} in use"
    return f"{sizes}, alarm {health.alarms}" if health.alarms else sizes
