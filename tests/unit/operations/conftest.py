"""The synthesised application as the programs behind make read it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from operations.document import Document
from tests.unit.stacks.conftest import output, settings

__all__ = ["output", "settings"]


@pytest.fixture(scope="session")
def documents(output: Path) -> Mapping[str, Document]:
    """Every stack by name."""
    folder = output / "stacks"
    return {path.name: Document.read(path.name, folder) for path in sorted(folder.iterdir())}
