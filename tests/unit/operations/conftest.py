"""The synthesised application as the programs behind make read it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from operations.document import Document
from operations.report import Chapter, read
from settings import Settings
from tests.unit.stacks.conftest import output, settings

__all__ = ["output", "settings"]


@pytest.fixture(scope="session")
def documents(output: Path) -> Mapping[str, Document]:
    """Every stack by name."""
    folder = output / "stacks"
    return {path.name: Document.read(path.name, folder) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def chapters(settings: Settings, output: Path) -> list[Chapter]:
    """What the report says of every environment."""
    return read(settings, output / "stacks")
