"""The library as the wheel has it, laid out in a folder; the whole wheel is built and installed by ``tests/engines/test_library.py``."""

from pathlib import Path

import pytest

from tests.library import laid_out


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to put on Python's path."""
    return laid_out(tmp_path_factory.mktemp("library"))
