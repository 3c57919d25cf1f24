"""Which engine writes Terraform's JSON: CDK for Terraform (``cdktf``), or CDK Terrain (``cdktn``), which continues it.

The project's source names the packages of CDK for Terraform. Both engines have the same modules and classes, so where CDK Terrain is the engine an
import of one of those names gets CDK Terrain's module: the same source runs on both. ``VET_CDK=cdktn`` (or ``cdktf``) chooses; without it the
one that is installed is taken, CDK for Terraform where both are.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

VARIABLE = "VET_CDK"
"""Environment variable that chooses an engine by its name."""

PROVIDERS = ("aws", "helm", "kubernetes")
"""Providers whose prebuilt bindings the project uses."""


@dataclass(frozen=True)
class Engine:
    """The names of an engine's Python packages."""

    core: str
    provider: str

    @property
    def providers(self) -> tuple[str, ...]:
        """Root packages of the providers' bindings, in the order of ``PROVIDERS``."""
        return tuple(f"{self.provider}{name}" for name in PROVIDERS)

    @property
    def packages(self) -> tuple[str, ...]:
        """All root packages, in the same order for every engine."""
        return (self.core, *self.providers)


ENGINES = {
    "cdktf": Engine(core="cdktf", provider="cdktf_cdktf_provider_"),
    "cdktn": Engine(core="cdktn", provider="cdktn_provider_"),
}
IN_SOURCE = ENGINES["cdktf"]
"""The engine whose names the source has."""


def chosen() -> Engine:
    """The engine of this process.

    Raises:
        SystemExit: ``VET_CDK`` names no engine.
    """
    name = os.environ.get(VARIABLE, "")
    if name and name not in ENGINES:
        sys.exit(
            f"{VARIABLE}={name}: no such engine; there are {' and '.join(ENGINES)}. Unset it to take the one that is installed."
        )
    if name:
        return ENGINES[name]
    installed = [engine for engine in ENGINES.values() if importlib.util.find_spec(engine.core)]
    return installed[0] if installed else IN_SOURCE


def enable() -> None:
    """Have imports of the source's names reach the chosen engine; calling it again changes nothing."""
    engine = chosen()
    if engine != IN_SOURCE and not any(isinstance(finder, OtherName) for finder in sys.meta_path):
        sys.meta_path.insert(0, OtherName(dict(zip(IN_SOURCE.packages, engine.packages, strict=True))))


class OtherName:
    """Finds the modules of one package under the name of another: both names are one module."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A specification whose loader imports the module by its own name; ``None`` for all other modules."""
        root, dot, rest = name.partition(".")
        return ModuleSpec(name, _Loader(f"{self._names[root]}{dot}{rest}")) if root in self._names else None


class _Loader(Loader):
    def __init__(self, own_name: str) -> None:
        self._own_name = own_name

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual module, whose place the real one takes."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the module that has this name in its own package in the place of the new one."""
        sys.modules[module.__name__] = importlib.import_module(self._own_name)
