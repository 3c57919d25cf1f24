"""What all tests share: cdktf's bindings load quickly here too, whichever test imports them first, and a run names what it left unproven."""

import pytest

import bindings
from tests.architecture import unproven

bindings.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the lines of docs/architecture.txt whose only tests were skipped."""
    passed, skipped = (
        {report.nodeid for report in terminalreporter.stats.get(outcome, [])} for outcome in ("passed", "skipped")
    )
    if lines := unproven(passed, skipped):
        terminalreporter.section("lines of docs/architecture.txt that nothing proved in this run")
        for line in lines:
            terminalreporter.line(line)
