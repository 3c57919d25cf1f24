"""``make test CHANGED=yes`` chooses what a change touches, and everything where that is not known."""

from pathlib import Path

import pytest

from tests.changed import READ_BY, ROOT, chosen


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two tests: one imports a module by way of another, within a function; the other has a fixture."""
    for name, text in {
        "settings/__init__.py": "",
        "settings/names.py": "",
        "settings/network.py": "def zones():\n    from settings.names import short\n",
        "tests/unit/test_network.py": "from settings import network\n",
        "tests/unit/stacks/conftest.py": "",
        "tests/unit/stacks/test_stack.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("settings/names.py", ["tests/unit/test_network.py"]),
        ("tests/unit/test_network.py", ["tests/unit/test_network.py"]),
        ("tests/unit/stacks/conftest.py", ["tests/unit/stacks/test_stack.py"]),
        ("a-file-that-nothing-maps", ["tests/unit"]),
        ("vet_app/README.md", []),
    ],
)
def test_a_change_chooses_the_tests_that_reach_it(changed: str, expected: list[str], project: Path) -> None:
    assert chosen([changed], project) == expected


def test_all_that_is_mapped_exists() -> None:
    named = [*READ_BY, *(test for tests in READ_BY.values() for test in tests)]
    assert not (missing := [name for name in named if not (ROOT / name).exists()]), missing


def test_a_name_that_every_resource_has_touches_the_stacks() -> None:
    tests = chosen(["settings/names.py"])
    assert "tests/unit/stacks/test_invariants.py" in tests, tests
    assert "tests/unit/test_words.py" not in tests, "what reads no setting is left out"
