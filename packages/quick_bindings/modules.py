"""Import the Python side of the prebuilt bindings quickly.

Each module makes all of its classes (``classes.py``), and the annotations of a single one build thousands of ``Union`` objects. None of it is
needed: annotations serve only the argument checks in front of each call, which a type checker and jsii's other side make as well.
"""

import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from . import classes
from .optimizations import off

TAG = "opt-lean"
"""Marks the bytecode of a lean module beside the usual one (PEP 488, names of optimisation levels). A change of the loader needs a new one."""


CAST = re.compile(rb"return typing\.cast\(.+?, (result|jsii\.s?(?:get|invoke)\(.*\))\)$", re.MULTILINE)
"""How the bindings return a value: in a cast, which does nothing but build the type that it names, at each call."""


def enable(packages: Sequence[str]) -> None:
    """Have the modules of these packages loaded lean in this process; calling it again changes nothing.

    Raises:
        LookupError: Python or jsii is not built as this module knows it.
    """
    classes.enable()
    if not any(isinstance(finder, LeanFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LeanFinder(packages))


class LazyModuleLoader(SourceFileLoader):
    """Loads a module whose classes are made when they are used, and that has neither casts nor argument checks."""

    # typeshed has this method of InspectLoader static; a loader of source files calls it on itself.
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        """The module's code."""
        return classes.compile_lazily(CAST.sub(rb"return \1", data), path)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code; where that does not work, the module as it is."""
        try:
            code = self.get_code(module.__name__)
            if code is None:
                raise ImportError(f"{module.__name__} has no code", name=module.__name__)
            classes.execute(code, module)
        except Exception as error:
            off("classes", f"{module.__name__}: {type(error).__name__}: {error}")
            classes.forget(module)
            SourceFileLoader(module.__name__, self.path).exec_module(module)

    def get_data(self, path: Any) -> bytes:
        """A file's content; of bytecode, the lean one's."""
        return super().get_data(lean(path))

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        """Keep bytecode, under a name of its own."""
        super().set_data(lean(path), data, _mode=_mode)


class LeanFinder:
    """Finds the modules of some packages, and has them loaded lean where their bytecode is kept or can be."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A specification with the lean loader, or ``None``: the usual finders are asked then."""
        if name.partition(".")[0] not in self._packages:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or spec.cached is None or type(spec.loader) is not SourceFileLoader:
            return None
        bytecode = Path(lean(spec.cached))
        if not bytecode.exists() and (cause := _not_kept(bytecode.parent)):
            off("classes", f"the bytecode of {name} can be neither found nor kept: {cause}")
            return None
        spec.loader = LazyModuleLoader(spec.loader.name, spec.loader.path)
        return spec


def _not_kept(folder: Path) -> str:
    """Why no bytecode can be written there; empty if it can."""
    if sys.dont_write_bytecode:
        return "PYTHONDONTWRITEBYTECODE is set, or Python runs with -B"
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return "" if os.access(nearest, os.W_OK) else f"{nearest} cannot be written"


def lean(path: str) -> str:
    """The name under which the bytecode at ``path`` is kept when it is lean; any other file's name as it is."""
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}.{TAG}.{suffix}" if dot and suffix == "pyc" else path
