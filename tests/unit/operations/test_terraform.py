"""Which program applies the stacks, and what is said when it is not there or too old."""

import stat
import subprocess
from pathlib import Path

import pytest

from operations.shared import terraform
from operations.shared.errors import Failure
from operations.shared.terraform import NAMED, Terraform, binary, program


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(NAMED, raising=False)
    return tmp_path


def install(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    path.chmod(stat.S_IRWXU)
    return path


def test_terraform_comes_before_opentofu(programs: Path) -> None:
    tofu = install(programs, "tofu", "1.11.0")
    assert program() == str(tofu)
    first = install(programs, "terraform", "1.11.4")
    assert program() == str(first)


def test_the_variable_that_cdktf_reads_chooses(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "terraform", "1.11.4")
    tofu = install(programs, "tofu", "1.12.0")
    monkeypatch.setenv(NAMED, "tofu")
    assert binary() == "tofu"
    assert program() == str(tofu)


def test_the_setting_chooses_unless_the_variable_does(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "terraform", "1.11.4")
    monkeypatch.setattr(terraform, "_engine", lambda: "tofu")
    with pytest.raises(
        Failure, match=r"engine in environments/_project\.yaml names tofu, which is not on PATH\ninstall OpenTofu"
    ):
        program()
    tofu = install(programs, "tofu", "1.10.6")
    assert program() == str(tofu), "stacks that are OpenTofu's ask for 1.10"
    monkeypatch.setenv(NAMED, "terraform")
    assert binary() == "terraform"


@pytest.mark.parametrize(
    ("name", "version", "wanted"), [("terraform", "1.10.5", "Terraform 1.11"), ("tofu", "1.10.6", "OpenTofu 1.11")]
)
def test_one_that_cannot_lock_by_a_file_is_refused(name: str, version: str, wanted: str, programs: Path) -> None:
    install(programs, name, version)
    with pytest.raises(Failure, match=f"{name} is version {version}\ninstall {wanted} or newer"):
        program()


def test_what_is_named_and_missing_is_named(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "terraform", "1.11.4")
    monkeypatch.setenv(NAMED, "tofu")
    with pytest.raises(Failure, match=f"{NAMED} names tofu, which is not on PATH\ninstall OpenTofu"):
        program()


def test_without_any_terraform_is_recommended(programs: Path) -> None:
    with pytest.raises(Failure, match=r"terraform is not on PATH\ninstall Terraform 1\.11 or newer: https://"):
        program()


LOOKING = """#!/bin/sh
case "$1" in
  version) echo '{"terraform_version": "1.11.4"}' ;;
  *) echo "aws_vpc.main: Refreshing state... [id=vpc-1]"
     echo "data.aws_ami.ubuntu: Read complete after 0s"
     echo "what the plan does"
     exit "$STATUS" ;;
esac
"""


@pytest.mark.parametrize(("status", "shown"), [("0", ""), ("2", "what the plan does\n")])
def test_a_plan_is_shown_without_its_progress_and_only_if_it_changes_something(
    status: str, shown: str, programs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _looking(programs, status, monkeypatch)
    assert Terraform("vet-dev").plan(Path("plan")) is (status == "2")
    assert capfd.readouterr().out == shown


def test_what_a_failed_plan_said_is_shown(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _looking(programs, "1", monkeypatch)
    with pytest.raises(subprocess.CalledProcessError):
        Terraform("vet-dev").plan(Path("plan"))
    assert capfd.readouterr().out == "what the plan does\n"


def _looking(programs: Path, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = programs / "terraform"
    program.write_text(LOOKING)
    program.chmod(0o700)
    monkeypatch.setenv("STATUS", status)


@pytest.mark.parametrize("shown", [True, False])
def test_a_plan_s_values_go_to_the_terminal_only_where_that_is_asked_for(
    programs: Path, shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = install(programs, "terraform", "1.11.4")
    path.write_text(
        path.read_text()
        + "[ \"$1\" = version ] && exit\necho 'password: hunter2'\necho 'Error: no such thing' >&2\nexit 2\n"
    )
    monkeypatch.chdir(tmp_path)
    assert Terraform("vet-dev").plan(Path("plan.tfplan"), shown=shown) is True
    captured = capfd.readouterr()
    assert ("hunter2" in captured.out) is shown
    assert "no such thing" in captured.err, "errors are always told"
