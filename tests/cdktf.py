"""The ``cdktf`` command line tool, as its users install it: ``tests/apply/cdktf`` names its version, and by its lock those of all that it needs."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from operations.devtools.emulator import REPOSITORY

PACKAGE = REPOSITORY / "tests/apply/cdktf"
TOOL = REPOSITORY / ".tools/cdktf"

NODE = (20, 22)
"""Majors of Node for which cdktf-cli 0.21 brings its terminal library ready-made; ``deploy`` runs Terraform in a terminal."""


class Missing(Exception):
    """The tool cannot be installed. The text says what it needs."""


def install() -> Path:
    """Path of the tool, installed by npm once for each lock.

    Raises:
        Missing: there is no fitting Node, or npm fails.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    majors = " or ".join(map(str, NODE))
    if node is None or npm is None:
        raise Missing(f"the cdktf CLI needs Node {majors} with npm on PATH")
    version = subprocess.check_output([node, "--version"], text=True).strip()
    if int(version.lstrip("v").split(".")[0]) not in NODE:
        raise Missing(f"the cdktf CLI needs Node {majors} on PATH, and this is {version}")
    stamp, lock = TOOL / "installed", (PACKAGE / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.copytree(PACKAGE, TOOL, dirs_exist_ok=True)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=TOOL, capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"npm could not install the cdktf CLI; give it a network. Its words: {done.stderr[-500:]}")
        stamp.write_text(digest)
    return TOOL / "node_modules/.bin/cdktf"


@dataclass(frozen=True)
class Cdktf:
    """The tool in the repository.

    ``cdktf("deploy", "vet-dev")`` runs it to its end and returns what it printed, or fails the test with that.
    """

    program: Path
    output: Path
    """Folder that it writes to, so that the repository's own ``cdktf.out/`` never comes to know of an emulator."""

    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        answer = subprocess.run(
            [self.program, *arguments, "--output", str(self.output)],
            cwd=REPOSITORY,
            env={**self.environment, "CI": "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert answer.returncode == 0, f"cdktf {' '.join(arguments)}:\n{answer.stdout[-4000:]}"
        return answer.stdout
