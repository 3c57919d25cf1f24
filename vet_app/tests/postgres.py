"""A temporary PostgreSQL cluster out of the machine's own binaries: socket in a temporary folder, no port, no trace.

`python -m tests.postgres --check` ends with code 0 where the binaries are there.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

MISSING = "PostgreSQL's server binaries were not found. On Debian or Ubuntu: apt-get install postgresql"
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=120 -c listen_addresses=''"


def binaries() -> Optional[Path]:
    """The folder of initdb and pg_ctl, the newest version where there are several."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    paths = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    return Path(max(paths, key=lambda path: int(path.split("/")[4]))).parent if paths else None


def server_user() -> Dict[str, Any]:
    """Keywords for subprocess: the server refuses to run as root, so root hands it to `postgres` or else `nobody`."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def cluster() -> Iterator[Dict[str, str]]:
    """Run a cluster and give libpq's variables for it; raises RuntimeError with the remedy where there is no server."""
    folder = binaries()
    if folder is None:
        raise RuntimeError(MISSING)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end, it ends its server first
    root = Path(tempfile.mkdtemp(prefix="vet-pg-"))
    identity = server_user()
    if identity:
        os.chown(root, identity["user"], identity["group"])
    data = root / "data"
    log = root / "log"
    quiet: Dict[str, Any] = {"stdout": subprocess.DEVNULL, "check": True, "cwd": root, **identity}
    try:
        subprocess.run([folder / "initdb", "-D", data, "-U", "vet", "-A", "trust", "-E", "UTF8", "--no-sync"], **quiet)
        start: List[Any] = [folder / "pg_ctl", "-D", data, "-l", log, "-w", "-o", f"{FAST} -k {root}", "start"]
        subprocess.run(start, **quiet)
        try:
            yield {"PGHOST": str(root), "PGUSER": "vet", "PGDATABASE": "postgres", "PGPORT": "5432"}
        finally:
            subprocess.run([folder / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(0 if binaries() else MISSING)
