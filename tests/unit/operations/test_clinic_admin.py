"""The clinic's first user: made by the application itself, in a pod, and shown once."""

import stat
from pathlib import Path

import pytest

from operations.application import clinic_admin as module
from operations.application.clinic_admin import clinic_admin
from operations.shared.errors import Failure
from operations.shared.servers import Cluster

KUBECTL = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
  *" get deployment/vet-app "*) {pods} ;;
  *) echo one-time-password; exit {code} ;;
esac
"""
READY = "printf 2"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """dev, whose kubeconfig is written already and whose API is public."""
    public_cluster = Cluster("dev")
    access = public_cluster.environment.access
    public = access.model_copy(update={"api": access.api.model_copy(update={"access": "public"})})
    public_cluster.environment = public_cluster.environment.model_copy(update={"access": public})
    monkeypatch.setattr(module, "save", lambda cluster, role: tmp_path / f"{cluster.names.base}-{role}.yaml")
    return public_cluster


def kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0, pods: str = READY) -> Path:
    """Put a stand-in on PATH; ``pods`` is its answer about the Deployment. Returns the file that it writes to."""
    program, log = folder / "kubectl", folder / "log"
    log.write_text("")
    program.write_text(KUBECTL.format(log=log, code=code, pods=pods))
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def test_the_application_makes_the_user_in_one_of_its_pods(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = kubectl(tmp_path, monkeypatch)
    clinic_admin(cluster, "anna@clinic.example")
    command = log.read_text().strip()
    assert command.endswith(
        "--namespace vet-app exec deployment/vet-app -- python manage.py clinic_admin anna@clinic.example"
    )
    assert f"--kubeconfig {tmp_path}/vet-dev-admin.yaml" in command
    shown = capfd.readouterr()
    assert shown.out == "one-time-password\n", "only what the application said goes to standard output"
    assert "https://vet-app.dev.example.com/" in shown.err


def test_the_command_is_one_that_the_application_has() -> None:
    root = Path(__file__).parents[3]
    assert (root / "vet_app/accounts/management/commands/clinic_admin.py").exists()


def test_failures_say_what_to_do(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl(tmp_path, monkeypatch, code=1)
    with pytest.raises(Failure, match="no user was made; the lines above say why"):
        clinic_admin(cluster, "anna@clinic.example")
    for wrong in ("", "anna", "--help@x"):
        with pytest.raises(Failure, match="is not an e-mail address"):
            clinic_admin(cluster, wrong)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(Failure, match="kubectl is not on PATH"):
        clinic_admin(cluster, "anna@clinic.example")


@pytest.mark.parametrize(
    ("pods", "message"),
    [
        ("true", "no pod of deployment/vet-app is ready.*--namespace vet-app get pods"),
        ("printf 0", "no pod of deployment/vet-app is ready"),
        ("echo 'deployments.apps \"vet-app\" not found' >&2; exit 1", "not found\n.*first: make deploy ENV=dev"),
    ],
)
def test_without_a_pod_that_is_ready_nothing_is_tried(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pods: str, message: str
) -> None:
    log = kubectl(tmp_path, monkeypatch, pods=pods)
    with pytest.raises(Failure, match=message):
        clinic_admin(cluster, "anna@clinic.example")
    assert "exec" not in log.read_text()
