"""An emulated account, made for the first test that applies something to it; and a table of what each engine took."""

from collections.abc import Iterator

import pytest

from operations.devtools.emulator.account import Account
from settings import load
from tests.apply.conftest import account_or_skip


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An empty account."""
    with account_or_skip(tmp_path_factory.mktemp("apply"), load()) as account:
        yield account


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show processor time and memory of each engine."""
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.stats.get(outcome, [])]
    lines = [dict(each.user_properties).get("measured") for each in reports if each.when == "call"]
    if rows := [str(line) for line in lines if line]:
        head = ["| versions | plain imports | optimizations | the optimizations take less by |", "|---|---|---|---|"]
        terminalreporter.write_line("\n".join(["", *head, *rows]))
