"""Import the Python side of the prebuilt bindings quickly.

Their root packages import every module, each module makes all of its classes (``classes.py``), and the annotations of a single one build
thousands of ``Union`` objects. None of it is needed: every module loads the JavaScript package by itself, and annotations serve only the
argument checks in front of each call, which mypy (strict, in ``make lint``) and jsii's other side make as well.
"""

import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from bindings import classes, engine

PROVIDERS = engine.chosen().providers
"""Root packages of the prebuilt bindings."""

LEAN = (*engine.chosen().packages, "constructs")
"""Packages whose modules are loaded lean."""

TAG = "opt-lean"
"""Marks the bytecode of a lean module beside the usual one (PEP 488, names of optimisation levels). A change of the loader needs a new one."""


CAST = re.compile(rb"return typing\.cast\(.+?, (result|jsii\.s?(?:get|invoke)\(.*\))\)$", re.MULTILINE)
"""How the bindings return a value: in a cast, which does nothing but build the type that it names, at each call."""


def enable() -> None:
    """Change how the providers' modules are imported in this process; calling it again changes nothing."""
    for name in PROVIDERS:
        _leave_unexecuted(name)
    if LeanFinder not in sys.meta_path and classes.enable():
        sys.meta_path.insert(0, LeanFinder)


def _leave_unexecuted(name: str) -> None:
    """Let the submodules of a package be imported without running the package's root.

    CDKTF does the same to the bindings that it generates (its ``constructs-maker.ts``). Only for a package with a ``_jsii`` module of its
    own, which every submodule imports by itself; otherwise it stays as it is.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or not any((Path(place) / "_jsii").is_dir() for place in spec.submodule_search_locations or ()):
        return
    sys.modules[name] = importlib.util.module_from_spec(spec)


class LeanLoader(SourceFileLoader):
    """Loads a module whose classes are made when they are used, and that has neither casts nor argument checks."""

    # typeshed has this method of InspectLoader static; a loader of source files calls it on itself.
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        """The module's code."""
        return classes.compile_lazily(CAST.sub(rb"return \1", data), path)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        code = self.get_code(module.__name__)
        if code is None:
            raise ImportError(f"{module.__name__} has no code", name=module.__name__)
        classes.execute(code, module)

    def get_data(self, path: Any) -> bytes:
        """A file's content; of bytecode, the lean one's."""
        return super().get_data(lean(path))

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        """Keep bytecode, under a name of its own."""
        super().set_data(lean(path), data, _mode=_mode)


class LeanFinder:
    """Finds the modules of those packages, and has them loaded lean where their bytecode is kept or can be."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A specification with the lean loader, or ``None``: the usual finders are asked then."""
        if name.partition(".")[0] not in LEAN:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or spec.cached is None or type(spec.loader) is not SourceFileLoader:
            return None
        bytecode = Path(lean(spec.cached))
        kept = bytecode.exists() or (not sys.dont_write_bytecode and os.access(bytecode.parent, os.W_OK))
        if not kept:
            return None
        spec.loader = LeanLoader(spec.loader.name, spec.loader.path)
        return spec


def lean(path: str) -> str:
    """The name under which the bytecode at ``path`` is kept when it is lean; any other file's name as it is."""
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}.{TAG}.{suffix}" if dot and suffix == "pyc" else path
