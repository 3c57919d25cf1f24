"""What nodes send to CloudWatch for the alarms."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.boot.sandbox import Machine, World

MakeWorld = Callable[..., World]


def _certificate(path: Path, days: int) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test", "-days", str(days)]
    subprocess.run([*command, "-keyout", "/dev/null", "-out", str(path)], check=True, capture_output=True)


def _measured(world: World, machine: Machine) -> dict[str, float]:
    """The newest value of each metric of this world's cluster, after the program has run."""
    cluster = f"vet-{world.identity}"
    environment = machine.root / "etc/vet/node.env"
    text = environment.read_text().replace("CLUSTER='vet-dev'", f"CLUSTER='{cluster}'")
    environment.write_text(text.replace("METRICS_NAMESPACE=''", "METRICS_NAMESPACE='vet/nodes'"))
    result = machine.run("measure")
    assert result.code == 0, result.log
    client = world.client("cloudwatch")
    now = datetime.now(UTC)
    query: dict[str, Any] = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1), "Period": 60}
    found: dict[str, float] = {}
    for metric in ("DiskUsed", "SnapshotAge", "CertificateDays"):
        dimensions = [{"Name": "Cluster", "Value": cluster}]
        points = client.get_metric_statistics(
            Namespace="vet/nodes", MetricName=metric, Dimensions=dimensions, Statistics=["Maximum"], **query
        )["Datapoints"]
        if points:
            found[metric] = points[-1]["Maximum"]
    return found


def test_a_server_measures_disk_snapshots_and_the_certificate_that_ends_first(world: World) -> None:
    server = world.standing()[0]
    tls = server.on_volume("server/tls")
    (tls / "etcd").mkdir()
    _certificate(tls / "server-ca.crt", 3650)
    _certificate(tls / "etcd/server-client.crt", 20)
    world.client("s3").put_object(
        Bucket=world.inputs.snapshots_bucket, Key=f"vet-{world.identity}/etcd-snapshot-1", Body=b"snapshot"
    )
    found = _measured(world, server)
    assert 0 < found.pop("DiskUsed") <= 100
    # Whole days that are left: 20 within the second in which the certificate was made, 19 after it.
    assert found.pop("CertificateDays") in (19, 20)
    assert found == {"SnapshotAge": 0}


def test_what_could_not_be_restored_is_no_snapshot(world: World) -> None:
    server = world.standing()[0]
    (server.on_volume("server/tls/etcd")).mkdir()
    for name in ("server-ca.crt", "etcd/peer.crt"):
        _certificate(server.on_volume("server/tls") / name, 100)
    for key, body in (("etcd-snapshot-2", b""), (".metadata/etcd-snapshot-2", b"note")):
        bucket, cluster = world.inputs.snapshots_bucket, f"vet-{world.identity}"
        world.client("s3").put_object(Bucket=bucket, Key=f"{cluster}/{key}", Body=body)
    assert "SnapshotAge" not in _measured(world, server)


def test_without_any_snapshot_silence_raises_the_alarm(world: World) -> None:
    server = world.standing()[0]
    (server.on_volume("server/tls/etcd")).mkdir()
    for name in ("server-ca.crt", "etcd/peer.crt"):
        _certificate(server.on_volume(f"server/tls/{name}"), 100)
    assert "SnapshotAge" not in _measured(world, server)


def test_an_agent_measures_its_disk(make_world: MakeWorld) -> None:
    world = make_world()
    assert set(_measured(world, world.agent())) == {"DiskUsed"}


def test_nodes_measure_only_where_alarms_are_enabled(world: World) -> None:
    server = world.server(0)
    assert server.boot().code == 0
    assert not server.calls("vet-measure.timer")
    environment = server.root / "etc/vet/node.env"
    environment.write_text(environment.read_text().replace("METRICS_NAMESPACE=''", "METRICS_NAMESPACE='vet/nodes'"))
    assert server.boot().code == 0
    assert server.calls("systemctl enable --now vet-measure.timer")
