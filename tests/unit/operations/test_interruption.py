"""Ctrl-C, an ended process and a closed terminal: Terraform finishes, and what was opened is closed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operations.shared.errors import INTERRUPTED

TERRAFORM = """
import signal, sys, time
from pathlib import Path
told = []
signal.signal(signal.SIGINT, lambda *_: told.append(1))
Path("began").touch()
while not told:
    time.sleep(0.01)
time.sleep(1)  # what it has begun takes longer than a quarter of a second
Path("state").write_text("saved")
"""

APPLY = """
import sys
from operations.shared.errors import run_command
from operations.shared.terraform import run_uninterrupted
run_command(lambda: run_uninterrupted([sys.executable, "terraform.py"], {}))
"""

OPENED = """
import time
from contextlib import contextmanager
from pathlib import Path
from operations.shared.errors import run_command

@contextmanager
def opened():
    try:
        Path("began").touch()
        yield
    finally:
        Path("closed").touch()

def work():
    with opened():
        time.sleep(60)

run_command(work)
"""


def started(program: str, folder: Path) -> "subprocess.Popen[str]":
    """The program in a process group of its own, as a terminal has it, after it has begun."""
    root = str(Path(__file__).parents[3])
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heard,
    )
    while not (folder / "began").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


def _heard() -> None:
    """Hear every ending: tests in the background of a shell, or under nohup, would have their children ignore Ctrl-C or a closed terminal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)


def test_terraform_finishes_what_it_has_begun_when_ctrl_c_is_pressed(tmp_path: Path) -> None:
    (tmp_path / "terraform.py").write_text(TERRAFORM)
    process = started(APPLY, tmp_path)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.1)
    _, stderr = process.communicate(timeout=30)
    assert (tmp_path / "state").exists(), "Terraform was killed before it had written the state"
    assert process.returncode == INTERRUPTED
    assert "stopped: run the same command again" in stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda ending: ending.name)
def test_what_a_command_has_opened_is_closed_however_it_ends(tmp_path: Path, ending: signal.Signals) -> None:
    process = started(OPENED, tmp_path)
    process.send_signal(ending)
    process.communicate(timeout=30)
    assert (tmp_path / "closed").exists()
    assert process.returncode == INTERRUPTED


def test_the_emulator_does_not_outlive_the_program_that_started_it(tmp_path: Path) -> None:
    program = """
from pathlib import Path
from operations.devtools.emulator import Emulator
import time
with Emulator(Path("log")) as emulator:
    Path("pid").write_text(str(emulator._server.pid))
    Path("began").touch()
    time.sleep(60)
"""
    process = started(program, tmp_path)
    emulator = int((tmp_path / "pid").read_text())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while _runs(emulator):
        assert time.monotonic() < deadline, "the emulator runs on without anybody"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    """Whether the process is there and no mere entry of one that has ended."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
