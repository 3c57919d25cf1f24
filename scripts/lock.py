"""Choose the newest versions for every Pipfile given, and write its lock next to it: ``lock.py Pipfile tests/policy/Pipfile``.

Pipenv resolves; it lives in a folder of its own, because its pins are none of the project's business; those are in ``pipenv.txt``, each with
its hash, and ``lock.py --tools`` chooses them and pip's (``pip.txt``). From its result
the addresses of package indexes are taken out: packages come from wherever a machine's pip is configured to get them,
and hashes tell whether they are the right ones.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PINS = Path(__file__).parent
PIPENV = PINS / "pipenv.txt"
TOOL = Path(".tools/pipenv")


def lock(pipfile: Path) -> None:
    """Write ``Pipfile.lock`` beside a Pipfile; untouched when no versions fit together."""
    result = pipfile.with_name("Pipfile.lock")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(pipfile, Path(folder) / "Pipfile")
        variables = {
            **os.environ,
            "WORKON_HOME": str(TOOL.resolve() / "environments"),
            "PIPENV_IGNORE_VIRTUALENVS": "1",
        }
        subprocess.run([TOOL.resolve() / "bin/pipenv", "lock"], cwd=folder, env=variables, check=True)
        lock_file = json.loads((Path(folder) / "Pipfile.lock").read_text())
    result.write_text(json.dumps(without_addresses(lock_file), indent=4, sort_keys=True) + "\n")
    print(f"{result}: {len(lock_file['default'])} packages, {len(lock_file['develop'])} more for development")


def without_addresses(lock_file: dict) -> dict:
    """A lock that does not say where packages come from."""
    lock_file["_meta"]["sources"] = []
    for section in ("default", "develop"):
        for package in lock_file[section].values():
            package.pop("index", None)
    return lock_file


def install() -> None:
    """Put Pipenv into its folder, every file checked against its hash."""
    stamp, wanted = TOOL / "installed", PIPENV.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(TOOL, clear=True, symlinks=True, with_pip=True)
        pip = [TOOL / "bin/python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "--requirement", PIPENV], check=True)
        stamp.write_text(wanted)


def pin(name: str) -> None:
    """Choose the newest version of a tool and of all that it needs, and write them with their hashes.

    Raises:
        CalledProcessError: pip has failed; its own words are on the terminal.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    answer = subprocess.run([*command, "--report", "-", name], check=True, stdout=subprocess.PIPE, text=True)
    lines = []
    for package in json.loads(answer.stdout)["install"]:
        about, digest = package["metadata"], package["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{about['name'].lower()}=={about['version']} --hash=sha256:{digest}")
    file = PINS / f"{name}.txt"
    file.write_text("# Made by `python scripts/lock.py --tools`.\n" + "\n".join(sorted(lines)) + "\n")
    print(f"{file}: {len(lines)} packages")


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["--tools"]:
            pin("pip")
            pin("pipenv")
        else:
            install()
            for path in sys.argv[1:]:
                lock(Path(path))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed, and no lock was changed by it; its own words are above.")
