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
  *" get deployment/vet-app "*) {found} ;;
  *) echo one-time-password; exit {code} ;;
esac
"""
READY = "printf 2"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """dev, whose kubeconfig is written already and whose API is public."""
    found = Cluster("dev")
    access = found.environment.access
    public = access.model_copy(update={"api": access.api.model_copy(update={"access": "public"})})
    found.environment = found.environment.model_copy(update={"access": public})
    monkeypatch.setattr(module, "save", lambda cluster, role: tmp_path / f"{cluster.names.base}-{role}.yaml")
    return found


def kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0, found: str = READY) -> Path:
    """Put a stand-in on PATH; ``found`` is its answer about the Deployment. Returns the file that it writes to."""
    program, log = folder / "kubectl", folder / "log"
    log.write_text("")
    program.write_text(KUBECTL.format(log=log, code=code, found=found))
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def test_the_application_makes_the_user_in_one_of_its_pods(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = kubectl(tmp_path, monkeypatch)
    clinic_admin(cluster, "anna@clinic.example")
    said = log.read_text().strip()
    assert said.endswith(
        "--namespace vet-app exec deployment/vet-app -- python manage.py clinic_admin anna@clinic.example"
    )
    assert f"--kubeconfig {tmp_path}/vet-dev-admin.yaml" in said
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
    ("found", "message"),
    [
        ("true", "no pod of deployment/vet-app is ready.*--namespace vet-app get pods"),
        ("printf 0", "no pod of deployment/vet-app is ready"),
        ("echo 'deployments.apps \"vet-app\" not found' >&2; exit 1", "not found\n.*first: make deploy ENV=dev"),
    ],
)
def test_without_a_pod_that_is_ready_nothing_is_tried(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str, message: str
) -> None:
    log = kubectl(tmp_path, monkeypatch, found=found)
    with pytest.raises(Failure, match=message):
        clinic_admin(cluster, "anna@clinic.example")
    assert "exec" not in log.read_text()
