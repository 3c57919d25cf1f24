"""API servers, charts and an AWS emulator available."""

import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from operations.application.clinic_database import ClinicDatabase
from operations.cluster import record
from operations.deployment import upgrade, upgrade_back
from operations.devtools.emulator import Emulator, local_cluster
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.shared.terraform import binary
from operations.supply_chain import charts
from settings import Settings, load
from settings.loader import ENVIRONMENTS
from settings.release_sets import parse, release_set
from settings.upgrades import way
from tests.upgrade.servers import PROGRAM, VERSIONS, ApiServers
from tests.upgrade.walk import Walk

START, TARGET = "documented", "current"
_DEV = load().environment("dev")
DEV = _DEV.model_copy(update={"agents": _DEV.agents.model_copy(update={"autoscaler": True})})
"""dev as :func:`write_settings` has it."""

STEPS = way(DEV.releases, DEV.installed(release_set(TARGET))).steps

STUMBLE = "1.31"
"""Minor at which a server does not come back from its roll at first."""


def needed() -> list[str]:
    """Versions of Kubernetes on the way, oldest first."""
    versions = {release_set(START).kubernetes, *(step.after.kubernetes for step in STEPS)}
    return [f"v{each}" for each in sorted(versions, key=parse)]


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """dev on `documented`, applied and examined; its settings are a copy of the repository's, comments and all."""
    program = os.environ.get(PROGRAM)
    if not program:
        pytest.skip(f"set {PROGRAM} to a program that starts API servers (tests/README.md)")
    if shutil.which(binary()) is None:
        pytest.skip("neither Terraform nor OpenTofu is on PATH: install Terraform 1.11 or newer")
    folder = tmp_path_factory.mktemp("walk")
    home = Path(os.environ.get("API_HOME", Path.home() / ".cache/vet-api"))
    try:
        servers = ApiServers(program, home, local_cluster.tool("kubectl"))
        refuse_missing_charts()
        with (
            local_cluster.mirror(tmp_path_factory.mktemp("charts"), keep_kube_version=True) as mirror,
            Emulator(folder / "emulator.log") as aws,
        ):
            write_settings(folder / "environments", mirror)
            walk = Walk(folder, aws, servers, os.environ.get(VERSIONS, "").split() or needed())
            bucket = walk.names.project.state_bucket
            local_cluster.client(aws, "s3", "us-east-1").create_bucket(Bucket=bucket)
            servers.stop(forget=True)
            try:
                walk.start(walk.versions[0])
                walk.publish()
                yield walk
            finally:
                walk.end()
    except local_cluster.Absent as absent:
        pytest.skip(str(absent))


def refuse_missing_charts() -> None:
    """Skip, naming every chart of the way that is not available."""
    folder = charts.local_cluster()
    if not folder:
        pytest.skip(f"set {charts.CHARTS} to a folder with every chart of the way (tests/README.md)")
    wanted = [each for each in charts.of_the_way() if each.key != "aws-cloud-controller-manager"]  # servers bring it
    names = sorted(charts.archive_name(each) for each in wanted)
    absent = [name for name in names if not any((folder / f"{name}{end}").exists() for end in ("", ".tgz"))]
    if absent:
        pytest.skip(f"{folder} lacks charts of the way: {', '.join(absent)}")


def write_settings(files: Path, mirror: str) -> None:
    """A copy of the repository's settings with dev alone, an image, the scaler and the mirror."""
    files.mkdir()
    for name in ("_project.yaml", "_common.yaml", "dev.yaml"):
        shutil.copy(ENVIRONMENTS / name, files)
    text = (files / "dev.yaml").read_text()
    for section, line in {
        "application:\n": f"  image: {local_cluster.IMAGE}\n",
        "agents:\n": "  autoscaler: true\n",
    }.items():
        assert text.count(f"\n{section}") == 1, section
        text = text.replace(section, section + line, 1)
    (files / "dev.yaml").write_text(f"{text}\ncharts: {{mirror: {mirror}}}\n")


@pytest.fixture(scope="session")
def stopped_at(walk: Walk) -> Iterator[str]:
    """The whole way, taken by make upgrade; what it said when it stopped in between, before it was told to go on."""
    with pytest.MonkeyPatch.context() as patch:
        play(walk, patch)
        walk.doubt = STUMBLE
        with pytest.raises(Failure, match="server 0 did not come back") as stopped:
            upgrade.run("dev", TARGET, auto_approve=True)
        walk.log.append(f"stopped: {stopped.value}")
        upgrade.run("dev", TARGET, auto_approve=True)
        yield str(stopped.value)


def play(walk: Walk, patch: pytest.MonkeyPatch) -> None:
    """Let what would reach AWS and machines reach the walk."""

    def settings() -> Settings:
        return load(walk.files)

    assert walk.running
    patch.setattr(upgrade, "load", settings)
    for module in (upgrade, upgrade_back):
        patch.setattr(module, "ENVIRONMENTS", walk.files)
        patch.setattr(module, "Cluster", lambda name: SimpleNamespace(environment=settings().environment(name)))
    patch.setattr(record, "read", lambda *_: walk.record)
    patch.setattr(record, "write", walk.note)
    patch.setattr(record, "forget", walk.forget)
    patch.setattr(upgrade_back, "restore", walk.restore)
    patch.setattr(upgrade_back, "snapshots", walk.snapshots)
    patch.setattr(upgrade.deploy, "deploy", walk.deploy)
    patch.setattr(upgrade.roll_servers, "roll", walk.roll)
    patch.setattr(upgrade.roll_agents, "roll", lambda *_, **__: None)
    patch.setattr(upgrade.doctor, "run", walk.examine)
    patch.setattr(upgrade.snapshots, "take", walk.snapshot)
    kubeconfig = str(walk.running.kubeconfig)
    patch.setattr(upgrade, "administrator", lambda each: Kubectl(kubeconfig, each.environment.application.namespace))
    patch.setattr(upgrade, "tunnel", lambda _: nullcontext())
    patch.setattr(upgrade, "archive", lambda *_: None)
    patch.setattr(ClinicDatabase, "close_segment", lambda *_: "000000010000000000000001")
