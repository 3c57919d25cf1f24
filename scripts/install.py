"""Install what a Pipfile.lock names into a virtual environment: ``install.py LOCK VENV``.

Runs before anything is installed, so it uses the standard library alone. Every file is checked against the lock's hashes.
A stamp holds the lock's digest, so that a second run does nothing.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import venv
from collections.abc import Collection
from pathlib import Path

import fetch_pip

UNWANTED = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_HASHES",
)
"""Variables that would send packages elsewhere or leave them uncompiled, which makes every later start slow."""


class InstallError(Exception):
    """What went wrong and what to do, for a person."""


def requirements(lock: dict) -> dict[str, str]:
    """Package name to its line in pip's requirements format, of both sections of a Pipfile.lock."""
    lines = {}
    for name, package in {**lock["develop"], **lock["default"]}.items():
        extras = f"[{','.join(package['extras'])}]" if "extras" in package else ""
        marker = f"; {package['markers']}" if "markers" in package else ""
        hashes = " ".join(f"--hash={digest}" for digest in package["hashes"])
        lines[name] = f"{name}{extras}{package['version']} {marker} {hashes}"
    return lines


class Progress:
    """One line that says what goes on: rewritten on a terminal, repeated every ten seconds in a log."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()
        self.terminal = sys.stdout.isatty()

    def show(self, text: str) -> None:
        """Say where it stands; call it as often as you like."""
        now = time.monotonic()
        if self.terminal:
            print(f"\r\033[K  {text} ({now - self.start:.0f} s)", end="", flush=True)
        elif now - self.last >= 10:
            self.last = now
            print(f"  {text} ({now - self.start:.0f} s)", flush=True)

    def done(self, text: str) -> None:
        """Say what was done, and how long it took."""
        lead = "\r\033[K" if self.terminal else ""
        print(f"{lead}  {text} ({time.monotonic() - self.start:.0f} s)", flush=True)


def pip_install(python: Path, wanted: dict[str, str], progress: Progress) -> None:
    """Install ``wanted`` and count aloud while pip fetches and unpacks."""
    environment = python.parent.parent
    listing, log = environment / "requirements.txt", environment / "install.log"
    listing.write_text("\n".join(wanted.values()) + "\n")
    command = [python, "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-compile", "--progress-bar=off"]
    site = next(environment.glob("lib/python*/site-packages"))
    before = len(list(site.glob("*.dist-info")))
    with log.open("w") as output:
        pip = subprocess.Popen(
            [*command, "-r", listing], stdout=output, stderr=subprocess.STDOUT, env=clean_environment()
        )
        while pip.poll() is None:
            fetched = sum(
                line.startswith(("Collecting", "Requirement already")) for line in log.read_text().splitlines()
            )
            unpacked = len(list(site.glob("*.dist-info"))) - before
            progress.show(
                f"fetching ({fetched} of {len(wanted)} packages)"
                if fetched < len(wanted)
                else f"fetched, unpacked {unpacked} of {len(wanted)} packages"
            )
            time.sleep(0.5)
    if pip.returncode:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        raise InstallError(
            f"pip could not install the packages:\n{tail}\nCheck the network (a proxy? HTTPS_PROXY) and run it again."
        )


def remove_surplus(python: Path, wanted: dict[str, str]) -> None:
    """Uninstall what an older lock had brought and this one no longer names."""
    listed = subprocess.check_output([python, "-m", "pip", "list", "--format=json"], env=clean_environment())
    surplus = surplus_of({package["name"] for package in json.loads(listed)}, wanted)
    if surplus:
        subprocess.check_call(
            [python, "-m", "pip", "uninstall", "--quiet", "--yes", *sorted(surplus)], env=clean_environment()
        )


def surplus_of(installed: set[str], wanted: Collection[str]) -> set[str]:
    """Names among ``installed`` that are not wanted, whichever of a name's spellings either side uses."""
    needed = {normalised(name) for name in wanted} | {"pip", "setuptools"}
    return {name for name in installed if normalised(name) not in needed}


def normalised(name: str) -> str:
    """A package's name as indexes compare it (PyPA specification "Names and normalization"): ``boolean.py`` is ``boolean-py``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def clean_environment() -> dict[str, str]:
    """The environment for pip and Python, without what would lead an installation astray."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED}


def _runs(python: Path, *arguments: str) -> bool:
    return python.exists() and subprocess.run([python, *arguments], capture_output=True).returncode == 0


def install(lock_file: Path, environment: Path) -> None:
    """Make ``environment`` hold exactly what ``lock_file`` names.

    Raises:
        InstallError: with the reason and the remedy.
    """
    python, stamp = environment / "bin" / "python", environment / "installed"
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest and _runs(python, "-c", ""):
        return
    usable = _runs(python, "-m", "pip", "--version")
    wanted = requirements(json.loads(lock_file.read_text()))
    print(
        f"Setting up {environment.name} from {lock_file} with Python {sys.version.split()[0]}: some minutes, once.",
        flush=True,
    )
    progress = Progress()
    if not usable:
        progress.show("making the environment")
        venv.create(environment, clear=True, symlinks=True, with_pip=fetch_pip.is_bundled())
        if not fetch_pip.is_bundled():
            fetch_pip.into(python)
    stamp.unlink(missing_ok=True)
    pip_install(python, wanted, progress)
    remove_surplus(python, wanted)
    progress.show("compiling")
    command = [python, "-m", "compileall", "-qq", "-j0", *environment.glob("lib/python*/site-packages")]
    subprocess.run(
        command, env=clean_environment(), check=False
    )  # a package may ship a file of another Python's syntax
    progress.done(f"{len(wanted)} packages installed")
    stamp.write_text(digest)


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]), Path(sys.argv[2]))
    except (InstallError, fetch_pip.NoPipError) as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run the same command again; it starts over where that is needed.")
