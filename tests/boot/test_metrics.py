"""What nodes send to CloudWatch for the alarms."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.boot.sandbox import Machine, Sandbox

MakeSandbox = Callable[..., Sandbox]


def _certificate(path: Path, days: int) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test", "-days", str(days)]
    subprocess.run([*command, "-keyout", "/dev/null", "-out", str(path)], check=True, capture_output=True)


def _measured(sandbox: Sandbox, machine: Machine) -> dict[str, float]:
    """The newest value of each metric of this sandbox's cluster, after the program has run."""
    cluster = f"vet-{sandbox.identity}"
    environment = machine.root / "etc/vet/node.env"
    text = environment.read_text().replace("CLUSTER='vet-dev'", f"CLUSTER='{cluster}'")
    environment.write_text(text.replace("METRICS_NAMESPACE=''", "METRICS_NAMESPACE='vet/nodes'"))
    result = machine.run("publish-metrics")
    assert result.code == 0, result.log
    client = sandbox.client("cloudwatch")
    now = datetime.now(UTC)
    query: dict[str, Any] = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1), "Period": 60}
    values: dict[str, float] = {}
    for metric in ("DiskUsed", "SnapshotAge", "CertificateDays"):
        dimensions = [{"Name": "Cluster", "Value": cluster}]
        points = client.get_metric_statistics(
            Namespace="vet/nodes", MetricName=metric, Dimensions=dimensions, Statistics=["Maximum"], **query
        )["Datapoints"]
        if points:
            values[metric] = points[-1]["Maximum"]
    return values


def test_a_server_measures_disk_snapshots_and_the_certificate_that_ends_first(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    tls = server.on_volume("server/tls")
    (tls / "etcd").mkdir()
    _certificate(tls / "server-ca.crt", 3650)
    _certificate(tls / "etcd/server-client.crt", 20)
    sandbox.client("s3").put_object(
        Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-{sandbox.identity}/etcd-snapshot-1", Body=b"snapshot"
    )
    values = _measured(sandbox, server)
    assert 0 < values.pop("DiskUsed") <= 100
    # Whole days that are left: 20 within the second in which the certificate was made, 19 after it.
    assert values.pop("CertificateDays") in (19, 20)
    assert values == {"SnapshotAge": 0}


def test_what_could_not_be_restored_is_no_snapshot(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    (server.on_volume("server/tls/etcd")).mkdir()
    for name in ("server-ca.crt", "etcd/peer.crt"):
        _certificate(server.on_volume("server/tls") / name, 100)
    for key, body in (("etcd-snapshot-2", b""), (".metadata/etcd-snapshot-2", b"note")):
        bucket, cluster = sandbox.inputs.snapshots_bucket, f"vet-{sandbox.identity}"
        sandbox.client("s3").put_object(Bucket=bucket, Key=f"{cluster}/{key}", Body=body)
    assert "SnapshotAge" not in _measured(sandbox, server)


def test_without_any_snapshot_silence_raises_the_alarm(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    (server.on_volume("server/tls/etcd")).mkdir()
    for name in ("server-ca.crt", "etcd/peer.crt"):
        _certificate(server.on_volume(f"server/tls/{name}"), 100)
    assert "SnapshotAge" not in _measured(sandbox, server)


def test_an_agent_measures_its_disk(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox()
    assert set(_measured(sandbox, sandbox.agent())) == {"DiskUsed"}


def test_nodes_measure_only_where_alarms_are_enabled(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    assert server.boot().code == 0
    assert not server.calls("vet-metrics.timer")
    environment = server.root / "etc/vet/node.env"
    environment.write_text(environment.read_text().replace("METRICS_NAMESPACE=''", "METRICS_NAMESPACE='vet/nodes'"))
    assert server.boot().code == 0
    assert server.calls("systemctl enable --now vet-metrics.timer")


ETCD = """# HELP etcd_server_has_leader Whether or not a leader exists. 1 is existence, 0 is not.
# TYPE etcd_server_has_leader gauge
etcd_server_has_leader 1
# HELP process_open_fds Number of open file descriptors.
# TYPE process_open_fds gauge
process_open_fds 90
# TYPE grpc_server_started_total counter
grpc_server_started_total{grpc_method="Range"} 3
# TYPE etcd_disk_wal_fsync_duration_seconds histogram
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 7
"""
"""A piece of what etcd says at /metrics (etcd: metrics)."""


def test_etcd_s_measurements_are_in_a_file_that_anybody_on_the_node_may_read(sandbox: Sandbox) -> None:
    """Those of the program itself are not: node-exporter would find names that it has, and show nothing of the file."""
    server = sandbox.running_cluster()[0]
    (sandbox.folder / "internet/metrics").write_text(ETCD)
    result = server.run("etcd-metrics")
    assert result.code == 0, result.log
    file = server.root / "var/lib/vet/metrics/etcd.prom"
    assert file.stat().st_mode & 0o777 == 0o644
    expected = [line for line in ETCD.splitlines() if "etcd_" in line]
    assert file.read_text().splitlines() == expected


def test_an_etcd_that_does_not_answer_leaves_what_was_there_and_its_age_tells(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    file = server.root / "var/lib/vet/metrics/etcd.prom"
    file.parent.mkdir(parents=True)
    file.write_text("etcd_server_has_leader 1\n")
    (sandbox.folder / "internet/metrics").unlink(missing_ok=True)
    assert server.run("etcd-metrics").code != 0
    assert file.read_text() == "etcd_server_has_leader 1\n"


def test_servers_measure_etcd_only_where_there_is_monitoring(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox()
    server = sandbox.running_cluster()[0]
    for machine, timers in ((server, 1), (sandbox.agent(), 0)):
        machine.boot()
        assert not machine.calls("vet-etcd-metrics.timer")
        environment = machine.root / "etc/vet/node.env"
        environment.write_text(environment.read_text().replace("MONITORED=''", "MONITORED='yes'"))
        assert machine.boot().code == 0
        assert len(machine.calls("systemctl enable --now vet-etcd-metrics.timer")) == timers
        assert (machine.root / "var/lib/vet/metrics").is_dir(), "node-exporter would say that its folder is not there"
