"""``make recover-database ENV=prod``: let the clinic's database go, so that the next deploy makes it again from its archive.

Before anything is deleted it sees that the archive can bring the moment back, that the new archive is nobody else's, and that
the last segment of the write-ahead log has arrived. Then docs/runbooks/lost-data.md goes on with ``make deploy``.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from operations.application.clinic_database import KIND, ClinicDatabase
from operations.application.recovery import archive, next_name, wanted
from operations.shared.consent import agreed
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.kubeconfig import administrator
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from operations.shared.tunnel import tunnel
from settings.web_identity import DATABASE

DEPLOYMENT = "deployment/vet-app"
REMINDERS = "vet-app-reminders"
PODS_OF_APPLICATION = "app=vet-app"

console = terminal(whole_lines=True)


def recover(cluster: Cluster, kubectl: Kubectl, *, auto_approve: bool) -> None:
    """Check, stop the application, close the log, and delete the database.

    Raises:
        Failure: something does not fit; nothing is deleted then, and the application runs as before.
    """
    recovery = wanted(cluster)
    if recovery.origin is None:
        raise Failure(
            f"{recovery.file}: recovery.from is empty, so a new database would be an empty one.\n"
            f"Name the archive to read, such as `recovery: {{from: {recovery.target.name}}}`, and a new one to write, such as "
            f"`backup: {{archive: {next_name(recovery.target.name)}}}` (docs/runbooks/lost-data.md)"
        )
    database = ClinicDatabase.find(kubectl)
    if database is None:
        recovery.refuse_foreign_target()
        recovery.refuse_moment(None)
        console.print(f"there is no database; make deploy ENV={cluster.environment.name} makes it from the archive")
        return
    if database.archive == recovery.target.name:
        raise Failure(
            f"{recovery.file}: backup.archive: {database.archive} is what the database writes already: it was recovered with "
            f"these settings before.\nFor another recovery read {database.archive} and write {next_name(database.archive)}"
        )
    if not database.archive:
        raise Failure("the database writes no archive, so all that it holds would be lost with it; nothing was changed")
    live = archive(cluster, database.archive)
    recovery.refuse_foreign_target()
    recovery.refuse_moment(database.now() if live == recovery.origin else None)
    moment = f"{recovery.at:%Y-%m-%d %H:%M:%S} UTC" if recovery.at else "the newest there is"
    console.print(f"moment   {moment}, from {recovery.origin.url}")
    console.print("1. stop the application\n2. see the last of the write-ahead log in the archive")
    console.print("3. delete the database, its disks too; its archive stays")
    if not auto_approve and not agreed(console, "What the clinic entered after that moment is lost. Go on?"):
        raise Failure("nothing was changed")
    with application_stopped(kubectl):
        segment = database.close_segment(
            live
        )  # whichever archive is read: there is a way back from this recovery as well
        console.print(f"[green]done[/]  {segment} is in {live.url}")
    delete_database(kubectl)
    console.print(f"[green]done[/]  the database is gone; now: make deploy ENV={cluster.environment.name}")


def delete_database(kubectl: Kubectl) -> None:
    """Delete the clinic's database and its disks."""
    kubectl("delete", KIND, DATABASE, "--cascade=foreground", "--timeout=10m")
    kubectl("wait", "--for=delete", "pvc", "--selector", f"cnpg.io/cluster={DATABASE}", "--timeout=5m")


@contextmanager
def application_stopped(kubectl: Kubectl) -> Iterator[None]:
    """No pod of the application is left; it is started again if something inside fails."""
    before = kubectl("get", DEPLOYMENT, "--output", "jsonpath={.spec.replicas}")
    try:
        if kubectl.find("cronjob", REMINDERS) is not None:
            kubectl("patch", "cronjob", REMINDERS, "--patch", '{"spec":{"suspend":true}}')  # the deploy starts it again
        kubectl("scale", DEPLOYMENT, "--replicas=0")
        kubectl("wait", "--for=delete", "pod", "--selector", PODS_OF_APPLICATION, "--timeout=5m")
        console.print("[green]done[/]  the application is stopped")
        yield
    except BaseException:
        kubectl("scale", DEPLOYMENT, f"--replicas={before}")
        if kubectl.find("cronjob", REMINDERS) is not None:
            kubectl("patch", "cronjob", REMINDERS, "--patch", '{"spec":{"suspend":false}}')
        console.print(f"nothing was deleted; the application is started again with {before} pods")
        raise


def run(name: str, *, auto_approve: bool) -> None:
    """Find the way to the cluster, and recover."""
    cluster = Cluster(name)
    kubectl = administrator(cluster)
    with tunnel(cluster):
        recover(cluster, kubectl, auto_approve=auto_approve)
