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

STANDALONE_PIP = "https://bootstrap.pypa.io/pip/pip.pyz"
"""All of pip in one file, from its makers (https://pip.pypa.io/en/stable/installation/#standalone-zip-application)."""


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
        for source in (_by_other_pip, _from_debian, _from_index, _standalone):
            try:
                archive = source(Path(folder))
                runnable = archive / "pip" if archive.suffix == ".whl" else archive
                wanted = str(archive) if archive.suffix == ".whl" else "pip"
                subprocess.run([python, runnable, "install", "--quiet", wanted], check=True, capture_output=True)
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
    subprocess.run([program, "download", "--quiet", "--no-deps", "--dest", folder, "pip"], check=True, capture_output=True)
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
    page = f"{index.rstrip('/')}/pip/"
    with urllib.request.urlopen(page, timeout=60) as answer:
        links = re.findall(r'href="([^"#]*/pip-[0-9.]+-py3-none-any\.whl)#sha256=([0-9a-f]{64})"', answer.read().decode())
    if not links:
        raise LookupError(f"no wheel of pip with its digest on {page}")
    link, digest = max(links, key=lambda found: [int(part) for part in re.findall(r"\d+", found[0].rsplit("/", 1)[1])])
    with urllib.request.urlopen(urllib.parse.urljoin(page, link), timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise LookupError(f"{link} does not have the digest that the index gives")
    wheel = folder / link.rsplit("/", 1)[1]
    wheel.write_bytes(content)
    return wheel


def _standalone(folder: Path) -> Path:
    """pip's standalone file"""
    with urllib.request.urlopen(STANDALONE_PIP, timeout=60) as answer:
        program = folder / "pip.pyz"
        program.write_bytes(answer.read())
    return program
