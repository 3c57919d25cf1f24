"""Programs that commands start: those that the tests fetch, or the machine's own."""

import shutil
from pathlib import Path

from operations.shared.errors import Failure

FETCHED = Path(__file__).resolve().parents[2] / ".tools"
"""Where ``scripts/fetch_helm.py`` puts them."""


class Absent(Failure):
    """Something is not on this machine: a program, a cluster, charts. The text says how to have it."""


def tool(name: str) -> str:
    """Path of a program that ``scripts/fetch_helm.py`` brings, or the machine's own.

    Raises:
        Absent: it is nowhere.
    """
    path = shutil.which(name, path=str(FETCHED)) or shutil.which(name)
    if not path:
        raise Absent(f"needs {name}: run make test-platform, which fetches it, or put {name} on PATH")
    return path
