"""Make a virtual environment from a lock file, for example `python tools/environment.py .venv test`.

The lock is chosen by the interpreter that runs this. Nothing is done when the environment already matches its lock.
A Python without `venv` or `ensurepip` (Debian splits them off) is served by virtualenv from the package registry, and a
Python without pip is told the one line that helps; nothing is ever installed outside the folder of this project.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_PIP = "{python} has neither ensurepip nor pip. On Debian or Ubuntu: apt-get install python3-venv (or python3-pip)."


def lock_file(purpose: str) -> Path:
    """The lock of `purpose` ("app" or "test") for the running interpreter."""
    line = "python39" if sys.version_info < (3, 10) else "python3"
    return ROOT / "requirements" / f"{purpose}-{line}.txt"


def create(target: Path) -> None:
    """Create an environment with pip in `target`, by venv or else by virtualenv."""
    try:
        import ensurepip  # noqa: F401 -- Debian ships venv without it
        import venv  # noqa: F401
    except ImportError:
        create_with_virtualenv(target)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)


def create_with_virtualenv(target: Path) -> None:
    """Fetch virtualenv into a temporary folder and let it create `target`."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        sys.exit(NO_PIP.format(python=sys.executable))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "virtualenv"]
        subprocess.run(command, check=True)
        environment = dict(os.environ, PYTHONPATH=folder)
        subprocess.run([sys.executable, "-m", "virtualenv", "--quiet", str(target)], check=True, env=environment)


def main(target: Path, purpose: str) -> None:
    """Bring `target` to the state of its lock."""
    lock = lock_file(purpose)
    stamp = target / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest() + f" {sys.version}"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print(
        f"Installing {lock.name} into {target.name} with Python {sys.version.split()[0]} (a minute or two) ...",
        flush=True,
    )
    shutil.rmtree(target, ignore_errors=True)
    create(target)
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)
    stamp.write_text(digest)


if __name__ == "__main__":
    main(ROOT / sys.argv[1], sys.argv[2])
