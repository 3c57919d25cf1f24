"""Rules for all programs of the nodes."""

import re
import stat
from pathlib import Path

import pytest

NODES = Path(__file__).parents[3] / "nodes"
PROGRAMS = sorted(path for path in (NODES / "bin").iterdir() if path.name != "lib.sh")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_program_is_strict_executable_short_and_explained(program: Path) -> None:
    text = program.read_text()
    assert program.stat().st_mode & stat.S_IXUSR, "not executable"
    assert "lib.sh" in text or "set -euo pipefail" in text, "not strict"
    assert text.splitlines()[1].startswith("# "), "the second line says what it is for"
    assert len(text.splitlines()) <= 120, "does more than one thing?"


SWALLOWED = {
    "in a test": re.compile(r"\[\[? [^\]]*\$\((?!\()"),
    "in arithmetic": re.compile(r"\$\(\([^)]*\$\((?!\()"),
    "by || true": re.compile(r"=\$\((?!\().*\) \|\| true"),
    "by $(<file), which succeeds where the disk cannot be read": re.compile(r"\$\(<"),
}
"""Where bash goes on after a command that failed inside of ``$( )``: its answer is then an empty string, which is taken for one."""

HARMLESS = {
    "grep -": "ends with 1 when no line fits, and reads what a variable holds",
    "endpoint health": "ends with the status of the worst member; the lines are looked at",
    "find ": "what the disk may lack; 0 is shown as an unknown time",
    "time_connect": "curl ends with 28 for a server that is slow, too; the seconds are looked at",
}
"""What may fail there, and why."""


@pytest.mark.parametrize("how", SWALLOWED)
def test_no_failure_is_taken_for_an_empty_answer(how: str) -> None:
    swallowed = [
        f"{program.name}:{number}: {line.strip()}"
        for program in [*PROGRAMS, NODES / "bin/lib.sh"]
        for number, line in enumerate(program.read_text().splitlines(), 1)
        if SWALLOWED[how].search(line) and not line.lstrip().startswith("#")
    ]
    assert [line for line in swallowed if not any(word in line for word in HARMLESS)] == []


def test_every_excuse_is_used() -> None:
    text = "".join(program.read_text() for program in PROGRAMS)
    assert [word for word in HARMLESS if word not in text] == []


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


def test_credentials_are_new_as_soon_as_the_page_says() -> None:
    """A deleted account's are stored again at the timer's next run on any server (docs/runbooks/access.md)."""
    timer = dict(
        line.split("=") for line in (NODES / "units/vet-credentials.timer").read_text().splitlines() if "=" in line
    )
    minutes = [int(timer[key].removesuffix("min")) for key in ("OnUnitActiveSec", "RandomizedDelaySec")]
    page = " ".join((NODES.parent / "docs/runbooks/access.md").read_text().split())
    assert "the servers store new credentials within fifteen minutes" in page
    assert sum(minutes) <= 15, timer
