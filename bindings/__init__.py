"""Load the prebuilt provider bindings quickly, without changing a byte of what they produce.

The bindings load everything twice: the Python packages import all of their 2,212 modules in their root, and their JavaScript requires all of
its files. What is left after that is mostly types that nobody looks at, and two programs that wait for each other. The levers:

* ``engine.py`` says which packages these are: those of CDK for Terraform, or of CDK Terrain;
* ``modules.py``: a module such as ``cdktf_cdktf_provider_aws.vpc`` loads itself and nothing else;
* ``classes.py``: and makes those of its classes that are used;
* ``node.py``: jsii runs in one Node process instead of two, which starts before Python imports anything;
* ``node.cjs``: Node requires a provider's file when it is used, and keeps what it compiles;
* ``lean.cjs``: and leaves on the disk what it need not read;
* ``kernel.py``: Python goes on while Node works, and asks for nothing twice.

``VET_PLAIN_BINDINGS=1`` turns them off, and each turns itself off when the installed packages do not look as expected. Node itself is the one
that comes as a Python package, so a missing or old one on the machine is no matter.
"""

import atexit
import gc
import os
import sys

from bindings import engine, node

PLAIN = "VET_PLAIN_BINDINGS"
"""Environment variable that forces plain imports."""


def enable(*, start: bool = False) -> None:
    """Prepare this process. Call it before anything imports cdktf; calling it again changes nothing.

    :param start: start Node at once, and let Python run ahead of it: what Node finds wrong is then told some lines after its cause.
    """
    engine.enable()
    node.name()
    if os.environ.get(PLAIN, "") not in ("", "0"):
        return
    early = node.start() if start and "jsii" not in sys.modules else None
    from bindings import kernel, modules

    modules.enable()
    kernel.enable()
    if start:
        kernel.start(early)
    # What cdktf leaves in memory is not looked through once more when Python ends.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
