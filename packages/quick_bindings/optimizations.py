"""The optimizations by name, what is left out of them, and what happens when one does not work."""

import os
import warnings
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

WITHOUT = "QUICK_BINDINGS_WITHOUT"
"""Environment variable with names of optimizations to leave out, separated by commas: to measure them, and to find the one that is at fault."""

IN_PYTHON = {
    "roots": "a provider's package is imported without all of its modules",
    "classes": "a module's classes are made when they are used, without annotations, casts and argument checks",
    "process": "jsii runs in one Node process, which starts before Python imports anything; all that Node does needs it",
    "ahead": "Python goes on while Node works, and asks for nothing twice",
}
IN_NODE = {
    "lazy": "a provider's file is required when a class of it is used",
    "compiled": "what V8 compiled is kept",
    "definitions": "jsii's definitions of types are read in parts",
    "maps": "source maps are left on the disk",
    "digests": "the digests of packages are remembered",
    "used": "the files that the last run used are required while Python still imports",
    "traces": "no stack is kept for each token",
}
NAMES = (*IN_PYTHON, *IN_NODE)
"""All optimizations."""


class OptimizationWarning(RuntimeWarning):
    """An optimization does not work here. What is loaded is the same; it takes longer."""


def left_out() -> frozenset[str]:
    """Names of the optimizations that the environment leaves out.

    Raises:
        ValueError: there is no such optimization.
    """
    names = frozenset(filter(None, os.environ.get(WITHOUT, "").split(",")))
    if unknown := names - {*NAMES}:
        raise ValueError(
            f"{WITHOUT}: no optimization is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}"
        )
    return names


_told: set[str] = set()


def off(name: str, cause: object) -> None:
    """Tell, once, that an optimization does not work, and why."""
    if name not in _told:
        _told.add(name)
        warnings.warn(
            f"{name} is off ({IN_PYTHON[name]}); everything is loaded as usual, and slower: {cause}",
            OptimizationWarning,
            stacklevel=2,
        )


def attempt(name: str, step: Callable[[], Found]) -> Found | None:
    """Take an optimization's step, unless it is left out. Where the step fails, say so once and go on without it."""
    if name in left_out():
        return None
    try:
        return step()
    except Exception as error:
        off(name, f"{type(error).__name__}: {error}")
        return None
