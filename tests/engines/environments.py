"""Python environments with other engines than ours: made once, below ``.cache/engines``."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ENGINES = Path(__file__).parent
CACHE = REPOSITORY / ".cache/engines"
OURS = ("cdktf", "constructs")
"""Beginnings of the names of packages that an engine's file names in place of the Pipfile."""


def interpreter(version: str) -> str | None:
    """The Python of this version (``3.13``), if there is one on the PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))]
    return next((place for place in reversed(places) if place), None)


def environment(engine: str, version: str) -> Path:
    """The Python of an environment with an engine; it is made, which takes minutes, where there is none yet.

    Raises:
        AssertionError: the packages cannot be installed.
    """
    python = interpreter(version)
    assert python, f"no Python {version}"
    requirements = sorted([*(ENGINES / f"{engine}.txt").read_text().splitlines(), *_common()])
    digest = sha256("\n".join([version, *requirements]).encode()).hexdigest()[:12]
    folder = CACHE / f"{engine}-{version}-{digest}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        file = folder / "requirements.txt"
        file.write_text("\n".join(requirements))
        done = subprocess.run(
            [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile", "-r", file],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{engine} on Python {version} cannot be installed:\n{done.stderr[-3000:]}"
        (folder / "complete").touch()
    return folder / "bin/python"


def synthesised(python: Path | str, folder: Path, **variables: str) -> dict[str, object]:
    """The documents of all stacks, by the stack's name.

    Raises:
        AssertionError: the synth ends with an error.
    """
    program = "import sys, main; main.synthesise(outdir=sys.argv[1])"
    done = subprocess.run(
        [str(python), "-c", program, str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{python} does not synthesise:\n{done.stderr[-3000:]}"
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(folder.glob("stacks/*/cdk.tf.json"))}


def _common() -> list[str]:
    """What the Pipfile asks for beside the engine, in versions that pip chooses: the lock is of one Python and one engine."""
    packages = tomllib.loads((REPOSITORY / "Pipfile").read_text())["packages"]
    return [
        name + ("" if version == "*" else version) for name, version in packages.items() if not name.startswith(OURS)
    ]


if __name__ == "__main__":
    print(environment(*sys.argv[1:3]))
