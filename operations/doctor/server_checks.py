"""What ``make doctor`` asks of the servers themselves: whether they have joined and vote, etcd's room, snapshots, and what is unfinished."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.filesize import decimal

from nodes.inputs import PENDING
from operations.cluster import lock, restore_record, roll_record
from operations.cluster.snapshots import newest, snapshots
from operations.doctor.finding import CheckContext, Finding, Verdict
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Cluster

QUOTA_BYTES = 2 << 30
"""Size of the database at which etcd refuses to write, unless ``--quota-backend-bytes`` says otherwise, which nothing here does
(etcd.io: system limits)."""

NEARLY_FULL = 0.8

LOST_SERVER = "docs/runbooks/lost-server.md"
LOST_QUORUM = "docs/runbooks/lost-quorum.md"


def control_plane(context: CheckContext) -> Iterator[Finding]:
    """Each server, as it says itself."""
    cluster = Cluster(context.environment.name)
    for server in cluster.servers():
        what = f"server {server.slot}"
        if not server.running:
            yield Finding(what, "fails", "its machine is stopped", f"aws ec2 start-instances, or {LOST_SERVER}")
            continue
        try:
            health = cluster.health(server)
        except Failure as failure:
            yield Finding(what, "fails", f"cannot be asked: {failure.problem}", LOST_SERVER)
            continue
        problems = list(_problems(health, context.environment.name, context.environment.servers.count))
        for text, remedy in problems:
            yield Finding(what, "fails", text, remedy)
        if not problems:
            yield Finding(what, "ok", f"votes, its database has {_size(health)}")


def _problems(health: Health, name: str, count: int) -> Iterator[tuple[str, str]]:
    """What is wrong with a server, and what to do."""
    if not health.data_known:
        yield "cannot say whether etcd data is on its volume", f"sudo journalctl -u vet-boot on it; {LOST_SERVER}"
    elif not health.data:
        yield "has not joined: no etcd data is on its volume", f"sudo journalctl -u vet-boot on it; {LOST_SERVER}"
    elif not health.running:
        yield "RKE2 does not run on it", f"sudo journalctl -u vet-boot on it; {LOST_SERVER}"
    for problem in health.problems(count):
        yield problem, LOST_SERVER
    step = health.restore.split()[1:2]
    if health.restore == "unknown":
        yield "cannot say whether a restore needs it to wait", f"sudo /opt/vet/bin/progress read on it; {LOST_SERVER}"
    elif step not in ([], ["done"]):
        yield f"a restore is unfinished on it ({step[0]})", f"make restore ENV={name}, or with GIVE_UP=yes"
    if not health.api_ready:
        return  # nothing of the rest can be known
    if health.leader == "no":
        yield "etcd has no leader", LOST_QUORUM
    elif health.leader != "yes":
        yield "cannot say whether etcd has a leader", f"sudo /opt/vet/bin/health on it; {LOST_SERVER}"
    if health.alarms == "unknown" or not health.database_bytes:
        yield "cannot say how full etcd is", f"sudo /opt/vet/bin/health on it; {LOST_SERVER}"
    elif health.alarms:
        yield f"etcd has the alarm {health.alarms}, with {_size(health)}", f"make defragment ENV={name}; {LOST_QUORUM}"
    elif health.database_bytes > NEARLY_FULL * QUOTA_BYTES:
        yield f"etcd is nearly full: {_size(health)}", f"make defragment ENV={name}; {LOST_QUORUM}"
    if health.cordoned == "true":
        yield (
            "takes no workloads: its Node is cordoned",
            f"make roll-servers ENV={name}, if that was interrupted; else kubectl uncordon NODE",
        )
    elif health.cordoned != "false":
        yield "cannot say whether its Node is cordoned", "kubectl get nodes"


def _size(health: Health) -> str:
    used, quota = decimal(health.database_bytes), decimal(QUOTA_BYTES)
    return f"{used} of {quota}, {decimal(health.database_bytes_in_use)} in use"


def unfinished(context: CheckContext) -> Iterator[Finding]:
    """Restores and rolls that were interrupted, where there are servers."""
    cluster = Cluster(context.environment.name)
    if not cluster.servers():
        return
    name, holder = cluster.environment.name, lock.holder(cluster)
    if holder:
        yield Finding("operation", "later", f"{holder} is at work", "wait for it")
    restore, roll = restore_record.read(cluster), roll_record.read(cluster)
    if restore:
        text = f"of {restore.source} is unfinished; server {restore.slot} becomes the cluster"
        remedy = f"make restore ENV={name} goes on with it; GIVE_UP=yes as well ends it"
        yield Finding("restore", "later" if holder else "fails", text, remedy)
    if roll:
        text = f"is unfinished: server {roll.slot} is being replaced"
        yield Finding("roll", "later" if holder else "fails", text, f"make roll-servers ENV={name}")


def etcd_snapshots(context: CheckContext) -> Iterator[Finding]:
    """The newest that could be restored, against the hours after which an alarm is raised as well."""
    cluster = Cluster(context.environment.name)
    if not cluster.servers():
        return
    environment, now = cluster.environment, datetime.now(UTC)
    limit = timedelta(hours=environment.alarms.snapshot_hours)
    take = f"make snapshots ENV={environment.name} TAKE=now; if that fails: sudo journalctl -u rke2-server on a server"
    candidates = snapshots(cluster)
    if latest := newest(cluster, candidates):
        age = now - latest.taken
        text = f"the newest that could be restored is {age // timedelta(hours=1)} hours old: {latest.name}"
        late: Verdict = "later" if environment.schedule.enabled else "fails"  # nobody takes one while all are stopped
        if age > limit:
            yield Finding("etcd snapshots", late, text, take)
        else:
            yield Finding("etcd snapshots", "ok", text)
        return
    since = _published(cluster)
    if since is None or now - since < limit:
        yield Finding("etcd snapshots", "later", "there is none yet", f"servers take one at {_schedule(cluster)} UTC")
    else:
        text = f"none of {len(candidates)} could be restored" if candidates else "there is none, though one was due"
        yield Finding("etcd snapshots", "fails", text, take)


def _schedule(cluster: Cluster) -> str:
    return cluster.environment.cluster.snapshots.schedule


def _published(cluster: Cluster) -> datetime | None:
    """Since when there is a cluster: when its CA was published; None before that."""
    parameter = cluster.client("ssm").get_parameter(Name=cluster.names.parameter("cluster-ca"))["Parameter"]
    return None if parameter["Value"] == PENDING else parameter["LastModifiedDate"].astimezone(UTC)
