"""``vet cluster``: the machines of an environment and what runs them."""

from dataclasses import asdict
from typing import Annotated

import typer

from operations.cli import arguments
from operations.cli.arguments import DryRun, Environment, Json, Yes, print_json, run

app = typer.Typer(help="Clusters: credentials, etcd, servers and agents.", no_args_is_help=True)
servers = typer.Typer(help="Servers: the machines with etcd and the Kubernetes API.", no_args_is_help=True)
agents = typer.Typer(help="Agents: the machines that run the applications.", no_args_is_help=True)
snapshots = typer.Typer(help="etcd snapshots.", no_args_is_help=True)
objects = typer.Typer(help="Velero's backups of Kubernetes objects.", no_args_is_help=True)
app.add_typer(servers, name="servers")
app.add_typer(agents, name="agents")
app.add_typer(snapshots, name="snapshots")
app.add_typer(objects, name="objects")


@app.command()
def kubeconfig(
    environment: Environment,
    *,
    role: Annotated[
        str, typer.Option(help="read, deploy, admin, or person: who you are in AWS.", autocompletion=arguments.roles)
    ] = "read",
    tunnel: Annotated[bool, typer.Option("--tunnel", help="Open the tunnel to a private API, until Ctrl-C.")] = False,
) -> None:
    """Write credentials for kubectl and print the line that uses them."""

    def write() -> None:
        from operations.shared import kubeconfig as module

        if role not in module.ROLES:
            raise typer.BadParameter(f"{role!r} is none of {', '.join(module.ROLES)}", param_hint="--role")
        module.run(environment, role, tunnel=tunnel)

    run(write, stopped="the tunnel is closed; the kubeconfig stays in .cache/kubeconfig")


@app.command()
def restore(
    environment: Environment,
    snapshot: Annotated[
        str | None,
        typer.Argument(help="Name; left out, the newest that is whole, or a disk.", autocompletion=arguments.snapshots),
    ] = None,
    *,
    disk: Annotated[
        int | None, typer.Option(metavar="SERVER", help="Take etcd's data from this server's disk (0, 1 or 2).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Although the cluster works, or may work.")] = False,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="End a restore that was begun and has reset nothing yet.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Bring the cluster back from a snapshot, or from one server's disk."""

    def bring_back() -> None:
        from operations.cluster import restore as module
        from operations.cluster.restore import RestoreRequest
        from operations.shared.servers import Cluster

        if give_up:
            if snapshot or disk is not None or force or dry_run:
                raise typer.BadParameter("it goes with --yes alone", param_hint="--give-up")
            module.give_up(Cluster(environment), auto_approve=yes)
            return
        module.restore(Cluster(environment), RestoreRequest(snapshot, disk, force, dry_run, yes))

    run(
        bring_back,
        stopped="if the restore had begun, the steps that are done are recorded and the cluster may be down;"
        f" vet cluster restore {environment} goes on where it stopped",
    )


@app.command()
def defragment(environment: Environment, *, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Make room in etcd, one server at a time, and clear its alarm."""

    def make_room() -> None:
        from operations.cluster.defragment import defragment as defragment_etcd
        from operations.shared.servers import Cluster

        defragment_etcd(Cluster(environment), dry_run=dry_run, auto_approve=yes)

    run(
        make_room,
        stopped="a server that had begun finishes by itself;"
        f" vet cluster defragment {environment} goes through all servers again, which does no harm",
    )


@servers.command("roll")
def roll_servers(environment: Environment, *, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Replace outdated servers, one by one. Asks before each."""

    def roll() -> None:
        from operations.cluster import outdated
        from operations.cluster import roll_servers as module

        if dry_run:
            outdated.show_servers(environment)
        else:
            module.roll(environment, auto_approve=yes)

    run(
        roll,
        stopped="a server that was being replaced may still be starting; replaced servers stay."
        f" vet cluster servers roll {environment} looks at all of them first and goes on there",
    )


@agents.command("roll")
def roll_agents(environment: Environment, *, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Replace outdated agents, zone by zone."""

    def roll() -> None:
        from operations.cluster import outdated
        from operations.cluster import roll_agents as module

        if dry_run:
            outdated.show_agents(environment)
        else:
            module.roll(environment, auto_approve=yes)

    run(
        roll,
        stopped="AWS goes on with a zone that it had begun;"
        f" vet cluster agents roll {environment} looks at all zones first and goes on there",
    )


@agents.command("grow-volumes")
def grow_volumes(environment: Environment, *, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Enlarge the pools' further volumes to what the settings say, while they are used."""

    def grow() -> None:
        from operations.cluster import grow_volumes as module

        module.grow(environment, dry_run=dry_run, auto_approve=yes)

    run(
        grow,
        stopped="volumes that had begun to grow do so;"
        f" vet cluster agents grow-volumes {environment} goes on with the others",
    )


@snapshots.command("list")
def list_snapshots(environment: Environment, *, as_json: Json = False) -> None:
    """List the snapshots, newest first."""

    def show() -> None:
        from operations.cluster import snapshots as module
        from operations.shared.servers import Cluster

        cluster = Cluster(environment)
        if as_json:
            print_json([asdict(snapshot) for snapshot in module.snapshots(cluster)])
        else:
            module.show(cluster)

    run(show)


@snapshots.command("take")
def take_snapshot(
    environment: Environment,
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes.")],
) -> None:
    """Take a snapshot now, on the first server that is healthy."""

    def take() -> None:
        from operations.cluster import snapshots as module
        from operations.shared.servers import Cluster

        module.take(Cluster(environment), name)

    run(
        take,
        stopped="a server that had begun finishes the snapshot by itself;"
        f" vet cluster snapshots list {environment} shows whether it is there",
    )


@objects.command("list")
def list_objects(environment: Environment, *, as_json: Json = False) -> None:
    """List the backups of objects, newest first."""

    def show() -> None:
        from operations.cluster import object_backups as module
        from operations.shared.servers import Cluster
        from operations.shared.tunnel import tunnel

        cluster = Cluster(environment)
        kubectl = module.veleros(cluster)
        with tunnel(cluster):
            backups = module.backups(kubectl)
        if as_json:
            print_json([asdict(backup) for backup in backups])
        else:
            module.show(cluster, backups)

    run(show)


@objects.command("take")
def take_objects(
    environment: Environment, name: Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes.")]
) -> None:
    """Take a backup of objects now, of what the schedule takes."""

    def take() -> None:
        from operations.cluster import object_backups as module
        from operations.shared.servers import Cluster
        from operations.shared.tunnel import tunnel

        cluster = Cluster(environment)
        kubectl = module.veleros(cluster)
        with tunnel(cluster):
            module.take(kubectl, name)

    run(take, stopped=f"Velero ends the backup by itself; vet cluster objects list {environment} shows its state")


@objects.command("restore")
def restore_objects(
    environment: Environment,
    namespace: Annotated[str, typer.Argument(help="The namespace to bring back.")],
    *,
    backup: Annotated[str | None, typer.Option(help="Name; left out, the newest that is whole.")] = None,
    into: Annotated[
        str | None, typer.Option(metavar="NAMESPACE", help="Another namespace that it comes back as.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Bring a namespace back from a backup of objects. What is there stays as it is."""

    def bring_back() -> None:
        from operations.cluster import object_backups as module
        from operations.shared.servers import Cluster
        from operations.shared.tunnel import tunnel

        cluster = Cluster(environment)
        kubectl = module.veleros(cluster)
        with tunnel(cluster):
            wanted = module.RestoreObjects(namespace, backup, into)
            module.restore(cluster, kubectl, wanted, auto_approve=yes)

    run(
        bring_back,
        stopped="if the restore had begun, Velero ends it by itself;"
        f" vet cluster objects restore {environment} {namespace} brings back what is missing then",
    )
