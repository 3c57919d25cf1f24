"""``make upgrade-database ENV=prod``: bring the clinic's database to another major version of PostgreSQL, in two runs.

A server of another major can start on neither the data nor the backups of this one; a dump is what goes across. The first run stops the
application, fills a database of the new major beside the clinic's with a dump, compares every table, and deletes the old one. Then
``make deploy`` makes the clinic's database of the new major with a dump of that one, and the second run compares again and takes the one
beside away (docs/runbooks/upgrading.md, PostgreSQL). The old database's archive stays: its ``recovery`` is the way back.
"""

from dataclasses import dataclass
from typing import Any

from operations.application.clinic_database import KIND, ClinicDatabase
from operations.application.recover_database import DEPLOYMENT, application_stopped, delete_database
from operations.application.recovery import archive, next_name, wanted
from operations.shared.consent import agreed
from operations.shared.console import terminal, wait_until
from operations.shared.errors import Failure
from operations.shared.kubeconfig import administrator
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from operations.shared.tunnel import tunnel
from settings.web_identity import DATABASE, DATABASE_CLONE

POLICY = "upgrade-database"
"""NetworkPolicy that lets the two databases reach each other meanwhile."""

MINUTES = 60
"""How long the dump may take."""

POLL_SECONDS = 2

CONTENTS = (
    "set timezone to 'UTC'",
    "select format('%I.%I', table_schema, table_name), query_to_xml(format("
    "'select count(*) as rows, coalesce(sum((''x'' || substr(md5(t::text), 1, 12))::bit(48)::bigint), 0) as digest from %I.%I t',"
    " table_schema, table_name), false, true, '') from information_schema.tables"
    " where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') order by 1",
)
"""Rows of every table, and a digest of what is in them that does not depend on their order."""

UNREADABLE = (
    "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where c.relkind in ('r', 'p', 'S', 'm') and n.nspname !~ '^(pg_|information_schema$)'"
    " and not has_table_privilege('vet_app', c.oid, 'select') order by 1"
)
"""What the dump's user may not read: pg_dump ends at the first of them."""

console = terminal(whole_lines=True)


@dataclass(frozen=True)
class Target:
    """What the environment's settings ask for."""

    name: str
    """Of the environment."""

    image: str
    major: int
    replicas: int
    """Of the application."""

    @classmethod
    def of(cls, cluster: Cluster) -> "Target":
        """What ``environments/<name>.yaml`` says now."""
        environment = cluster.environment
        release = environment.cluster.releases["postgresql"]
        return cls(environment.name, release.image, release.program.major, environment.application.replicas)


def upgrade(cluster: Cluster, kubectl: Kubectl, *, auto_approve: bool) -> None:
    """Do what is next.

    Raises:
        Failure: something does not fit, or the two databases differ. Until the comparison has succeeded nothing is deleted.
    """
    target = Target.of(cluster)
    live, beside = ClinicDatabase.find(kubectl), ClinicDatabase.find(kubectl, DATABASE_CLONE)
    if live is None and beside is None:
        raise Failure("there is neither a database nor a second one that a dump was put into; nothing was changed")
    if live is None:
        console.print(f"the old database is gone; now: make deploy ENV={target.name}, and then this command once more")
    elif live.major == target.major:
        _finish(kubectl, live, beside, target)
    else:
        _begin(cluster, kubectl, live, target, auto_approve=auto_approve)


def _begin(cluster: Cluster, kubectl: Kubectl, live: ClinicDatabase, target: Target, *, auto_approve: bool) -> None:
    """Fill the second database, compare, and delete the old one."""
    _refuse(cluster, live, target)
    console.print(
        f"PostgreSQL {live.major} to {target.major}, by a dump: the application stands still until the deploy that follows has ended"
    )
    console.print(f"1. stop the application\n2. fill {DATABASE_CLONE} and compare every table")
    console.print(
        f"3. see the last of the write-ahead log in the archive {live.archive}; delete the old database, its disks too"
    )
    if not auto_approve and not agreed(console, "Nobody can work meanwhile. Go on?"):
        raise Failure("nothing was changed")
    with application_stopped(kubectl):
        _fill(kubectl, live, target)
        beside = ClinicDatabase.find(kubectl, DATABASE_CLONE)
        _compare(live, beside)
        segment = live.close_segment(archive(cluster, live.archive))
        console.print(
            f"[green]done[/]  {segment} is in the archive {live.archive}, from which the old database can be restored"
        )
    delete_database(kubectl)
    console.print(f"[green]done[/]  now: make deploy ENV={target.name}, and then this command once more")


def _refuse(cluster: Cluster, live: ClinicDatabase, target: Target) -> None:
    """See that the settings describe what will be made after the old database is gone."""
    recovery = wanted(cluster)
    if live.major > target.major:
        raise Failure(
            f"environments/{target.name}.yaml: cluster.versions.postgresql: {target.major}: the database is PostgreSQL {live.major}, and "
            f"a dump of it may hold what {target.major} does not know.\nKeep {live.major}, or recover the archive from before it was raised"
        )
    if recovery.origin:
        raise Failure(f"{recovery.file}.recovery: a dump and a recovery exclude each other.\nTake `recovery` out")
    if recovery.dump_of != DATABASE_CLONE:
        raise Failure(
            f"{recovery.file}.import.from: {recovery.dump_of or 'empty'}: the next database would not begin with the dump.\n"
            f"Write `import: {{from: {DATABASE_CLONE}}}` and a new archive, such as `backup: {{archive: {next_name(live.archive)}}}`"
        )
    if cluster.environment.backups.database_clone_at:
        raise Failure(
            f"environments/{target.name}.yaml: backups.database_clone_at: there is a second database already.\n"
            "Take the setting out and deploy first"
        )
    recovery.refuse_foreign_target()
    if hidden := live.sql(UNREADABLE, database="vet_app").split():
        raise Failure(
            f"the application's user vet_app, who makes the dump, may not read {', '.join(hidden[:10])}.\n"
            "Somebody else made them in its database: give them to vet_app (alter table ... owner to vet_app), or drop them"
        )


def _fill(kubectl: Kubectl, live: ClinicDatabase, target: Target) -> None:
    """Make the second database, of the new major, from a dump of the clinic's. What an earlier run left is made again."""
    _take_away(kubectl)
    policy = kubectl.find("networkpolicy", DATABASE)
    if policy is not None:
        kubectl.apply({**_object("networking.k8s.io/v1", "NetworkPolicy", POLICY), "spec": _both(policy["spec"])})
    kubectl.apply({**_object("postgresql.cnpg.io/v1", "Cluster", DATABASE_CLONE), "spec": _beside(live, target)})
    console.print(f"  filling {DATABASE_CLONE}: minutes, longer with photos in the database ...")
    if not wait_until(lambda: _is_filled(kubectl) or None, seconds=MINUTES * 60, poll=(POLL_SECONDS,)):
        raise Failure(
            f"{DATABASE_CLONE} is not filled after {MINUTES} minutes; see kubectl -n {kubectl.namespace} get pods"
        )


def _is_filled(kubectl: Kubectl) -> bool:
    """Whether the second one is ready. Raises ``Failure`` with pg_dump's words if its import has failed: the job would try again in vain."""
    mine = ("--selector", f"cnpg.io/cluster={DATABASE_CLONE}", "--sort-by=.metadata.creationTimestamp")
    failed = kubectl("get", "pods", *mine, "--field-selector=status.phase=Failed", "--output=name").split()
    if failed:
        log = kubectl("logs", failed[0], "--all-containers", "--tail=200")
        lines = [line for line in log.splitlines() if "error: " in line or line.startswith("Error: ")]
        raise Failure(f"the dump into {DATABASE_CLONE} failed:\n" + "\n".join(line[:500] for line in lines[-3:]))
    ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return kubectl("get", KIND, DATABASE_CLONE, "--output", ready).strip() == "True"


def _object(version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def _beside(live: ClinicDatabase, target: Target) -> dict[str, Any]:
    """The specification of the second one (CloudNativePG: importing Postgres databases, microservice)."""
    spec = live.cluster["spec"]
    return {
        "imageName": target.image,
        "instances": 1,
        **{key: spec[key] for key in ("storage", "resources", "affinity", "imagePullSecrets") if key in spec},
        "bootstrap": {
            "initdb": {
                "database": "vet_app",
                "owner": "vet_app",
                "encoding": "UTF8",
                "import": {"type": "microservice", "databases": ["vet_app"], "source": {"externalCluster": DATABASE}},
            }
        },
        "externalClusters": [
            {
                "name": DATABASE,
                "connectionParameters": {
                    "host": f"{DATABASE}-rw", "user": "vet_app", "dbname": "vet_app", "sslmode": "verify-full",
                },
                "password": {"name": f"{DATABASE}-app", "key": "password"},
                "sslRootCert": {"name": f"{DATABASE}-ca", "key": "ca.crt"},
            }
        ],
    }  # fmt: skip


def _both(part: Any) -> Any:
    """A policy in which each of the two databases has the place of the clinic's."""
    if part == {"matchLabels": {"cnpg.io/cluster": DATABASE}}:
        names = {"key": "cnpg.io/cluster", "operator": "In", "values": [DATABASE, DATABASE_CLONE]}
        return {"matchExpressions": [names]}
    if isinstance(part, dict):
        return {key: _both(value) for key, value in part.items()}
    return [_both(each) for each in part] if isinstance(part, list) else part


def _compare(one: ClinicDatabase, other: ClinicDatabase | None) -> None:
    """See that both hold the same."""
    if other is None:
        raise Failure(f"the database {DATABASE_CLONE} is gone, so nothing can be compared with it")
    first, second = (set(each.sql(*CONTENTS, database="vet_app").splitlines()) for each in (one, other))
    if differing := sorted(first ^ second):
        tables = sorted({line.partition("|")[0] for line in differing})
        raise Failure(f"{len(tables)} tables differ between the two databases: {', '.join(tables[:20])}")
    console.print(f"[green]done[/]  {len(first)} tables hold the same rows in both databases")


def _finish(kubectl: Kubectl, live: ClinicDatabase, beside: ClinicDatabase | None, target: Target) -> None:
    """Compare once more while nobody writes, take the second one away, and start the application."""
    if beside is None:
        console.print(f"the database is PostgreSQL {live.major}, as the settings say; there is nothing to do")
        return
    stopped = kubectl("get", DEPLOYMENT, "--output", "jsonpath={.spec.replicas}") == "0"
    if stopped:
        _compare(live, beside)
    _take_away(kubectl)
    if stopped:
        kubectl("scale", DEPLOYMENT, f"--replicas={target.replicas}")
    console.print(f"[green]done[/]  the database is PostgreSQL {live.major}, and the application starts")
    console.print(
        f"take `import` out of environments/{target.name}.yaml: a database that is lost later is restored from its archive"
    )


def _take_away(kubectl: Kubectl) -> None:
    kubectl("delete", KIND, DATABASE_CLONE, "--ignore-not-found", "--cascade=foreground", "--timeout=10m")
    kubectl("delete", "networkpolicy", POLICY, "--ignore-not-found")


def run(name: str, *, auto_approve: bool) -> None:
    """Find the way to the cluster, and do what is next."""
    cluster = Cluster(name)
    kubectl = administrator(cluster)
    with tunnel(cluster):
        upgrade(cluster, kubectl, auto_approve=auto_approve)
