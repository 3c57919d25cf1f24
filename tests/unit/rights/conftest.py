"""The account of the shipped environments and one with everything on, synthesised once."""

import pytest

from tests.rights.account import Account
from tests.rights.matrix import COMPANY, Cell, cells, synthesised


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """What AWS would hold."""
    return synthesised(tmp_path_factory.mktemp("rights"))


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    """What is open where a company's boundary takes the place of the environments' own."""
    return list(cells(synthesised(tmp_path_factory.mktemp("company"), COMPANY)))
