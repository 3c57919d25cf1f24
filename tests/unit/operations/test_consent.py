"""A question before a change is answered in words, and a question that nobody hears ends in a sentence."""

import io

import pytest
from rich.console import Console

from operations.shared.consent import agreed
from operations.shared.errors import run_command


def _asked(answers: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, str]:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    return agreed(Console(file=shown, width=80), "Apply it?"), shown.getvalue()


@pytest.mark.parametrize(("answers", "wanted"), [("yes\n", True), ("Y\n", True), ("no\n", False), ("\n", False)])
def test_people_answer_as_they_do(answers: str, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _asked(answers, monkeypatch)[0] is wanted


def test_what_is_neither_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    consent, shown = _asked("perhaps\nyes\n", monkeypatch)
    assert consent
    assert "'perhaps' is neither yes nor no" in shown
    assert "Apply it? [yes/no]" in shown


def test_without_a_terminal_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: print(_asked("", monkeypatch)))
    assert "AUTO_APPROVE=yes" in str(ended.value)
