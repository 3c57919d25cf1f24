"""Build the wheel of the constructs: the build backend that ``pyproject.toml`` names, so ``pip wheel .`` and ``pip install`` call it.

In the repository ``modules``, ``settings`` and the others lie at the top. In a wheel they would take those names from everybody's environment, so
there they are one package: a module's ``from settings.names import Names`` becomes ``from vet_platform.settings.names import Names``. Everything
else, and every line's number, stays as it is (docs/decisions/0101-one-package-in-the-wheel.md).
"""

import ast
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

LIBRARY = "vet_platform"
"""Name under which others import it."""

PACKAGES = ("bindings", "modules", "nodes", "packages", "settings", "stacks")
"""The repository's packages that are in it."""

VALUES = "helm-values"
"""Folder with Helm values and charts, which lies next to the packages here and there."""

FOLDERS = ("charts", "keys", "release-sets", "since")
"""Its folders that are everybody's; the others are this repository's own environments'."""

BESIDE = ("pyproject.toml", "README.md", "LICENSE")
"""What a build needs besides."""

INIT = '''"""Constructs and typed settings for RKE2 and Rancher on AWS: docs/library.md."""
'''


class OtherImport(ValueError):
    """An import that would not mean the same in the wheel."""


def lay_out(folder: Path) -> Path:
    """Write the library's package into a folder, as the wheel has it; returns the package.

    Raises:
        OtherImport: a module imports one of the project's in a way that cannot be carried over.
    """
    package = folder / LIBRARY
    for name in PACKAGES:
        shutil.copytree(ROOT / name, package / name, ignore=_left_out)
    for name in FOLDERS:
        shutil.copytree(ROOT / VALUES / name, package / VALUES / name, ignore=_left_out)
    for path in (ROOT / VALUES).glob("*.yaml"):
        shutil.copy(path, package / VALUES)
    for path in sorted(package.rglob("*.py")):
        path.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
    (package / "__init__.py").write_text(INIT, encoding="utf-8")
    (package / "py.typed").touch()
    return package


def renamed(source: str) -> str:
    """A module's source with the project's imports under the library's name.

    Raises:
        OtherImport: it imports a package of the project's by ``import``, or one that is not in the library.
    """
    lines = source.splitlines(keepends=True)
    for node in _imports(ast.parse(source)):
        line = lines[node.lineno - 1]
        start = len(line.encode()[: node.col_offset].decode())
        lines[node.lineno - 1] = f"{line[:start]}from {LIBRARY}.{line[start + len('from ') :]}"
    return "".join(lines)


def _imports(tree: ast.Module) -> Iterator[ast.ImportFrom]:
    others = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} - {*PACKAGES}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            root = (node.module or "").partition(".")[0]
            if root in others:
                raise OtherImport(f"line {node.lineno}: {root} is not in the library ({', '.join(PACKAGES)})")
            if root in PACKAGES:
                yield node
        elif isinstance(node, ast.Import) and {each.name.partition(".")[0] for each in node.names} & {
            *PACKAGES,
            *others,
        }:
            raise OtherImport(f"line {node.lineno}: write `from ... import ...` for the project's own modules")


def _left_out(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name.startswith(".") or name in ("__pycache__", "tests", "README.md", "pyproject.toml", "measure.py")
    }


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Nothing besides setuptools (PEP 517)."""
    return []


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel outside of the repository, where setuptools may leave what it likes; returns its name (PEP 517)."""
    from setuptools import build_meta

    target, here = Path(wheel_directory).resolve(), Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name))
        for file in BESIDE:
            shutil.copy(ROOT / file, name)
        os.chdir(name)
        try:
            built: str = build_meta.build_wheel(str(target), config_settings)
        finally:
            os.chdir(here)
    return built


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """There is none: the repository is the source (PEP 517)."""
    sys.exit("A source distribution is not made: build the wheel from a checkout, with `pip wheel --no-deps .`")
