"""Put pip into a virtual environment where Python's own ``ensurepip`` is missing, as on Debian without ``python3-venv``."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

PINNED = Path(__file__).with_name("pip.txt")
"""The version of pip that is taken from elsewhere, with its hash. Debian's own comes with Debian's signatures."""


class NoPipError(Exception):
    """No way to get pip worked."""


def is_bundled() -> bool:
    """Whether this Python brings pip itself."""
    return importlib.util.find_spec("ensurepip") is not None


def into(python: Path) -> None:
    """Install pip for ``python``, a virtual environment's interpreter.

    Raises:
        NoPipError: naming what was tried, and the package to install.
    """
    tried = []
    with tempfile.TemporaryDirectory() as folder:
        for source in (_by_other_pip, _from_debian, _from_index):
            try:
                archive = source(Path(folder))
                subprocess.run(
                    [python, archive / "pip", "install", "--quiet", archive], check=True, capture_output=True
                )
                return
            except (OSError, LookupError, subprocess.CalledProcessError) as error:
                tried.append(f"{source.__doc__}: {error}")
    raise NoPipError(
        "This Python has neither pip nor ensurepip, and pip could not be had otherwise:\n  "
        + "\n  ".join(tried)
        + "\nInstall it (Debian, Ubuntu: sudo apt install python3-venv), or set PIP_INDEX_URL to your package index."
    )


def _by_other_pip(folder: Path) -> Path:
    """another pip on this machine"""
    program = shutil.which("pip3") or shutil.which("pip")
    if not program:
        raise LookupError("none on PATH")
    command = [
        program,
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        folder,
        "--require-hashes",
        "--requirement",
        PINNED,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("pip-*.whl"))


def _from_debian(folder: Path) -> Path:
    """Debian's python3-pip-whl"""
    wheels = sorted(Path("/usr/share/python-wheels").glob("pip-*.whl"))
    if not wheels:
        raise LookupError("not installed")
    return wheels[-1]


def _from_index(folder: Path) -> Path:
    """the package index of PIP_INDEX_URL"""
    index = os.environ.get("PIP_INDEX_URL")
    if not index:
        raise LookupError("PIP_INDEX_URL is not set")
    name, digest = pinned()
    page = f"{index.rstrip('/')}/pip/"
    with urllib.request.urlopen(page, timeout=60) as answer:
        links = re.findall(rf'href="((?:[^"#]*/)?{re.escape(name)})[#"]', answer.read().decode())
    if not links:
        raise LookupError(f"no {name} on {page}")
    with urllib.request.urlopen(urllib.parse.urljoin(page, links[0]), timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise LookupError(f"{links[0]} does not have the hash in {PINNED.name}: it is not what was pinned")
    wheel = folder / name
    wheel.write_bytes(content)
    return wheel


def pinned() -> tuple[str, str]:
    """Name of pip's wheel and its SHA-256, as ``pip.txt`` has them."""
    match = re.search(r"^pip==(\S+) --hash=sha256:([0-9a-f]{64})$", PINNED.read_text(), re.MULTILINE)
    if not match:
        raise LookupError(f"{PINNED} names no version with its hash; make it again: python scripts/lock.py --tools")
    return f"pip-{match[1]}-py3-none-any.whl", match[2]
