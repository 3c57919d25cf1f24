"""Rules for all programs of the nodes."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

NODES = Path(__file__).parents[3] / "nodes"
PROGRAMS = sorted(path for path in (NODES / "bin").iterdir() if path.name != "lib.sh")


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    files = [NODES / "loader.sh", NODES / "bin/lib.sh", *PROGRAMS]
    command = [shellcheck, *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_program_is_strict_executable_short_and_explained(program: Path) -> None:
    text = program.read_text()
    assert program.stat().st_mode & stat.S_IXUSR, "not executable"
    assert "lib.sh" in text or "set -euo pipefail" in text, "not strict"
    assert text.splitlines()[1].startswith("# "), "the second line says what it is for"
    assert len(text.splitlines()) <= 120, "does more than one thing?"


def test_every_unit_runs_a_program_that_exists() -> None:
    for unit in (NODES / "units").glob("*.service"):
        (start,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
        assert (NODES / "bin" / Path(start.split("=", 1)[1]).name).exists(), unit.name
    for timer in (NODES / "units").glob("*.timer"):
        assert timer.with_suffix(".service").exists(), timer.name


def test_systemd_does_not_retry_what_only_a_person_can_change() -> None:
    lib = (NODES / "bin/lib.sh").read_text()
    unit = (NODES / "units/vet-boot.service").read_text()
    assert "EXIT_STOP=78" in lib
    assert "RestartPreventExitStatus=78" in unit
    assert "StartLimitIntervalSec=0" in unit, "systemd gives up one day, and refuses the restarts that runbooks ask for"
