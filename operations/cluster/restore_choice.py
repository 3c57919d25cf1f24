"""What a restore starts from: the disk of a server, where one is whole and the others are lost, else a snapshot."""

import hashlib
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError
from rich.prompt import Prompt

from operations.cluster.restore_record import DISK, Record
from operations.cluster.snapshots import NAME, Snapshot, fault, newest, snapshots
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Cluster, Server

console = terminal()


def choose(
    cluster: Cluster, healths: dict[Server, Health], snapshot: str | None, disk: int | None, *, auto_approve: bool
) -> Record:
    """A new restore of what was named; of what loses least, when nothing was.

    Raises:
        Failure: what was named is not there or not whole, the snapshot needs another token, or nothing can be restored.
    """
    if snapshot is not None and disk is not None:
        raise Failure("SNAPSHOT and DISK: name one of them")
    whole = [server for server, health in healths.items() if health.data]
    if disk is not None:
        if disk not in {server.slot for server in whole}:
            raise Failure(f"DISK={disk}: no etcd data is on server {disk}; it is on {_slots(whole)}")
        return Record(DISK, disk)
    if snapshot is None:
        refuse_unknown_disks(healths)
    candidates = snapshots(cluster)
    if snapshot is None and whole and not any(health.works for health in healths.values()):
        best = max(whole, key=lambda server: healths[server].data_written)
        if _takes_disk(cluster, healths, whole, best, newest(cluster, candidates), auto_approve=auto_approve):
            return Record(DISK, best.slot)
    chosen = _snapshot(cluster, candidates, snapshot)
    refuse_wrong_token(cluster, chosen)
    return Record(chosen.name, min(server.slot for server in healths))


def refuse_unknown_disks(healths: dict[Server, Health]) -> None:
    """Stop while it cannot be told which server has data: a disk loses less than a snapshot, if there is one.

    Raises:
        Failure: naming the servers.
    """
    unknown = [server for server, health in healths.items() if not health.data_known]
    if unknown:
        raise Failure(
            f"it cannot be told whether etcd data is on {_slots(unknown)}: the data volume is not mounted, or cannot be read.\n"
            "Look there: sudo journalctl -u vet-boot, sudo dmesg (docs/runbooks/restoring-a-volume.md). If it is lost, name what"
            " to restore: SNAPSHOT=name, or DISK=slot"
        )


def _takes_disk(
    cluster: Cluster,
    healths: dict[Server, Health],
    whole: list[Server],
    best: Server,
    latest: Snapshot | None,
    *,
    auto_approve: bool,
) -> bool:
    count = cluster.environment.servers.count
    if len(whole) > count // 2:
        raise Failure(
            f"etcd data is on {_slots(whole)}, which is a majority of {count}: with them running nothing is lost"
            " (docs/runbooks/lost-server.md).\n"
            "If that data cannot be used, name what to restore: SNAPSHOT=name, or DISK=slot"
        )
    written = healths[best].data_written
    since = f"{datetime.fromtimestamp(written, UTC):%Y-%m-%d %H:%M} UTC" if written else "an unknown time"
    console.print(
        f"disk       etcd data is on server {best.slot}, last written at {since}: what the lost servers alone had"
        " acknowledged after that is lost, usually nothing"
    )
    console.print(
        f"snapshot   {latest.name} of {latest.taken:%Y-%m-%d %H:%M} UTC: everything since is lost"
        if latest
        else "snapshot   there is none that could be restored"
    )
    if auto_approve or latest is None:
        return True
    return Prompt.ask("Restore from", choices=["disk", "snapshot"], default="disk") == "disk"


def _snapshot(cluster: Cluster, candidates: list[Snapshot], wanted: str | None) -> Snapshot:
    if not candidates:
        raise Failure("there are no snapshots to restore (make snapshots ENV=...)")
    if wanted is None:
        if latest := newest(cluster, candidates):
            return latest
        raise Failure(
            f"none of the {len(candidates)} snapshots is whole: {candidates[0].name}: {fault(cluster, candidates[0])}"
        )
    if not NAME.fullmatch(wanted):
        raise Failure(f"SNAPSHOT={wanted!r}: a snapshot's name has letters, digits, dots, dashes and underscores")
    for snapshot in candidates:
        if snapshot.name == wanted:
            if wrong := fault(cluster, snapshot):
                raise Failure(f"{wanted} cannot be restored: {wrong}. Nothing was changed; make snapshots lists others")
            return snapshot
    shown = "\n".join(f"  {snapshot.name}" for snapshot in candidates[:3])
    raise Failure(f"there is no snapshot {wanted!r}; the newest are:\n{shown}")


def refuse_wrong_token(cluster: Cluster, snapshot: Snapshot) -> None:
    """Stop when the snapshot's keys were encrypted with another token than the secret has now.

    RKE2 notes the first 12 hexadecimal digits of the token's SHA-256 at the object (k3s-io/k3s, ``pkg/util/token.go``);
    releases that do not note it are not checked, and the runbook tells how to choose the token's version.

    Raises:
        Failure: another token is needed, or it cannot be told.
    """
    bucket, name = cluster.names.bucket("snapshots"), cluster.names.secret("server-token")
    try:
        notes = cluster.client("s3").head_object(Bucket=bucket, Key=f"{cluster.names.base}/{snapshot.name}")["Metadata"]
        noted = {key.lower(): value for key, value in notes.items()}.get("rke2-token-hash")
        if not noted:
            return
        token = cluster.client("secretsmanager").get_secret_value(SecretId=name).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"it cannot be told whether the token fits {snapshot.name}: {error}. Nothing was changed"
        ) from error
    if hashlib.sha256(token.strip().encode()).hexdigest()[:12] != noted:
        raise Failure(
            f"{snapshot.name} was taken with another join token than {name} has now: its keys could not be decrypted.\n"
            "Step 3 of docs/runbooks/lost-quorum.md brings the token's version of that time back. Nothing was changed"
        )


def _slots(servers: list[Server]) -> str:
    return ", ".join(f"server {server.slot}" for server in servers) or "no server"
