"""Load the prebuilt provider bindings quickly, without changing a byte of what they produce.

How that is done is ``packages/quick_bindings``, which knows nothing of this project; ``engine.py`` says whose packages they are: those of CDK
for Terraform, or of CDK Terrain. ``VET_PLAIN_BINDINGS=1`` turns it off. Node itself comes as a Python package, so a missing or old one on the
machine is no matter.
"""

import os
from pathlib import Path

from bindings import engine
from packages.quick_bindings import Packages, node
from packages.quick_bindings import enable as quicken

PLAIN = "VET_PLAIN_BINDINGS"
"""Environment variable that forces plain imports."""

_ROOT = Path(__file__).parents[1]

KEEP = _ROOT / ".cache/bindings" if (_ROOT / "main.py").exists() else None
"""What is kept from run to run is in the repository, and in the user's own folder where the library is installed."""


def enable(*, start: bool = False) -> None:
    """Prepare this process. Call it before anything imports cdktf; calling it again changes nothing.

    :param start: start Node at once, and let Python run ahead of it: what Node finds wrong is then told some lines after its cause.
    """
    engine.enable()
    if os.environ.get(PLAIN, "") not in ("", "0"):
        node.name()
        return
    chosen = engine.chosen()
    quicken(
        Packages(chosen.core, chosen.providers),
        start=start,
        keep=KEEP,
        hint=f"({PLAIN}=1 shows the line that asked for it.)",
    )
