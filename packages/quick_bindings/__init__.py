"""Load the prebuilt provider bindings of a CDK quickly, without changing a byte of what they produce: README.md."""

import atexit
import gc
import sys
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from subprocess import Popen
from types import ModuleType

from . import node, roots
from .optimizations import NAMES, WITHOUT, OptimizationWarning, attempt

__all__ = ["NAMES", "WITHOUT", "OptimizationWarning", "Packages", "enable"]


@dataclass(frozen=True)
class Packages:
    """The Python packages of an engine, such as CDK for Terraform."""

    core: str
    """``cdktf`` or ``cdktn``; JavaScript's packages are of that name, and those of the providers below ``@`` and it."""

    providers: tuple[str, ...]
    """Root packages of the prebuilt bindings, such as ``cdktf_cdktf_provider_aws``."""

    @property
    def packages(self) -> tuple[str, ...]:
        """All of them."""
        return (self.core, *self.providers)


def enable(packages: Packages, *, start: bool = False, keep: Path | None = None, hint: str = "") -> None:
    """Prepare this process. Call it before anything imports those packages; calling it again changes nothing.

    :param start: start Node at once, and let Python run ahead of it: what Node finds wrong is then told some lines after its cause.
    :param keep: a folder for what is kept from run to run; left out, it is below the user's ``~/.cache``.
    :param hint: how to have plain bindings, added to errors that are told later than they happened.
    """
    node.name()
    node.configure(packages.core, keep)
    early = attempt("process", node.start) if start and "jsii" not in sys.modules else None
    for name in packages.providers:
        attempt("roots", partial(roots.leave_unexecuted, name))
    attempt("classes", lambda: import_module(".modules", __name__).enable((*packages.packages, "constructs")))
    kernel = attempt("process", lambda: _talk(packages.core, hint, early))
    if kernel is None and early is not None:
        early.terminate()  # jsii starts another
    elif kernel is not None and start:
        attempt("ahead", kernel.start)
    # What the engine leaves in memory is not looked through once more when Python ends.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def _talk(core: str, hint: str, early: "Popen[bytes] | None") -> ModuleType:
    """Have jsii talk to Node by ``kernel.py``; returns that module, which knows jsii's inside and is imported here alone."""
    kernel = import_module(".kernel", __name__)
    kernel.enable(core, hint)
    kernel.PipelinedProcess.early = early
    return kernel
