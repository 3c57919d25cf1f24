"""The environment holds exactly what the lock names."""

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture
def surplus(monkeypatch: pytest.MonkeyPatch):
    """The function; scripts run before anything is installed and are no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import install

    yield install.surplus_of
    sys.modules.pop("install")


def test_what_the_lock_no_longer_names_is_surplus(surplus) -> None:
    assert surplus({"pip", "moto", "left-over"}, ["moto"]) == {"left-over"}


@pytest.mark.parametrize("spelling", ["boolean.py", "boolean_py", "Boolean-Py"])
def test_a_package_is_the_same_in_every_spelling(surplus, spelling: str) -> None:
    assert surplus({spelling}, ["boolean.py"]) == set()
