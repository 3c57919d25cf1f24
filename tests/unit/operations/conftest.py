"""The synthesised application as the programs behind make read it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from operations.report.report import EnvironmentReport, read
from operations.shared.stack_json import Document
from settings import Settings
from tests.unit.nodes.conftest import inputs
from tests.unit.operations.cluster import Fake
from tests.unit.stacks.conftest import output, settings

__all__ = ["inputs", "output", "settings"]


@pytest.fixture(scope="session")
def documents(output: Path) -> Mapping[str, Document]:
    """Every stack by name."""
    folder = output / "stacks"
    return {path.name: Document.read(path.name, folder) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def chapters(settings: Settings, output: Path) -> list[EnvironmentReport]:
    """What the report says of every environment."""
    return read(settings, output / "stacks")


@pytest.fixture
def prod() -> Fake:
    """Three servers, all well."""
    return Fake()
