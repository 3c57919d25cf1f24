"""The sandbox that the stand-ins act on: one JSON document for all machines of a test, changed under a lock."""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SANDBOX = Path(os.environ.get("STAND_IN_SANDBOX", "/nonexistent"))
ROOT = Path(os.environ.get("VET_ROOT", "/nonexistent"))
ADDRESS = os.environ.get("STAND_IN_ADDRESS", "")
"""Private address of the machine that a stand-in runs on."""

session = os.getsid(0)
"""What a power failure ends: the session of the program that called the stand-in."""

SERVER_DATA = ROOT / "var/lib/rancher/rke2/server"
CONFIG = ROOT / "etc/rancher/rke2"


@contextmanager
def locked_state() -> Iterator[dict[str, Any]]:
    """The state, exclusively; written back at the end, whole or not at all: a stand-in may be killed while it writes."""
    with (SANDBOX / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = SANDBOX / "state.json"
        state = json.loads(path.read_text())
        yield state
        written = path.with_name("state.new")
        written.write_text(json.dumps(state, indent=1))
        written.replace(path)


def look() -> dict[str, Any]:
    """The state, to read only."""
    with (SANDBOX / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state: dict[str, Any] = json.loads((SANDBOX / "state.json").read_text())
        return state


def record(words: list[str]) -> None:
    """Append a call to the machine's log, and make the machine crash after it when the test asked for that."""
    log = ROOT.parent / "calls.log"
    with log.open("a") as file:
        file.write(" ".join(word.replace("\n", " ") for word in words) + "\n")


def runs_real_etcd() -> bool:
    """Whether this sandbox runs etcd itself (``real_etcd``), and not the model of it."""
    return "etcd" in look()


def etcd_of(folder: Path) -> int | None:
    """The process id of the etcd that runs on a machine, by the machine's folder."""
    with suppress(FileNotFoundError, ValueError):
        number = int((folder / "etcd.pid").read_text())
        if str(folder).encode() in Path(f"/proc/{number}/cmdline").read_bytes():
            return number
    return None


def crash_if_told(words: list[str]) -> None:
    """End the whole boot, as a power failure does, when the call matches what the test chose and its turn has come."""
    wish = ROOT.parent / "crash-after"
    if not wish.exists():
        return
    pattern, count = wish.read_text().rsplit("\n", 1)
    if pattern not in " ".join(words):
        return
    if int(count) > 1:
        wish.write_text(f"{pattern}\n{int(count) - 1}")
        return
    wish.unlink()
    etcd = etcd_of(ROOT.parent)
    if etcd is not None:
        os.kill(etcd, signal.SIGKILL)  # a service of its own session
    # The first process first: it must not find time to log that others died.
    os.kill(session, signal.SIGKILL)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(process.name)) == session:
                os.kill(int(process.name), signal.SIGKILL)


def fail(message: str, code: int = 1) -> None:
    """End the stand-in as the real program would fail."""
    print(message, file=sys.stderr)
    sys.exit(code)
