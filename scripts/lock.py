"""Choose versions anew for every Pipfile given, and write its lock beside it: ``lock.py Pipfile tests/policy/Pipfile``.

Pipenv resolves; it lives in a folder of its own, because its pins are none of the project's business. From its result
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

PIPENV = "pipenv==2026.10.3"
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
        found = json.loads((Path(folder) / "Pipfile.lock").read_text())
    result.write_text(json.dumps(without_addresses(found), indent=4, sort_keys=True) + "\n")
    print(f"{result}: {len(found['default'])} packages, {len(found['develop'])} more for development")


def without_addresses(found: dict) -> dict:
    """A lock that does not say where packages come from."""
    found["_meta"]["sources"] = []
    for section in ("default", "develop"):
        for package in found[section].values():
            package.pop("index", None)
    return found


def install() -> None:
    """Put Pipenv into its folder."""
    if not (TOOL / "installed").exists() or (TOOL / "installed").read_text() != PIPENV:
        venv.create(TOOL, clear=True, symlinks=True, with_pip=True)
        subprocess.run([TOOL / "bin/python", "-m", "pip", "install", "--quiet", PIPENV], check=True)
        (TOOL / "installed").write_text(PIPENV)


if __name__ == "__main__":
    try:
        install()
        for path in sys.argv[1:]:
            lock(Path(path))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed, and no lock was changed by it; its own words are above.")
