"""The fixture of tests that need a cluster; a folder's ``conftest.py`` imports it, so that no other test loads what it needs."""

import pytest

from operations.devtools.emulator import local_cluster
from operations.devtools.emulator.kubernetes import Kubernetes


@pytest.fixture(scope="session")
def kubernetes() -> Kubernetes:
    """The available cluster; skips with the way to have one."""
    try:
        return local_cluster.kubernetes()
    except local_cluster.Absent as absent:
        pytest.skip(str(absent))  # the text says what to set or install
