"""The account of the shipped environments and one with everything on, synthesised once."""

import pytest

from tests.rights.account import Account
from tests.rights.matrix import synthesised


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """What AWS would hold."""
    return synthesised(tmp_path_factory.mktemp("rights"))
