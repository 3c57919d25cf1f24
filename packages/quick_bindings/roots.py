"""Import modules of a provider's package without running its root, which imports all of them."""

import importlib.util
import sys
from pathlib import Path


def leave_unexecuted(name: str) -> None:
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
