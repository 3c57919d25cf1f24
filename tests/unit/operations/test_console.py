"""Waiting: what is asked how often, and what a pipe and a terminal see of it."""

import io
import time

import pytest
from rich.console import Console

from operations.shared.console import PIPE_WIDTH, terminal, wait_until, waiting


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every pause, which takes no time; the clock goes on by it."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(pauses))
    return pauses


def test_it_asks_until_there_is_an_answer_and_the_last_pause_repeats(slept: list[float]) -> None:
    answers = iter([None, None, None, None, "here"])
    assert wait_until(lambda: next(answers), seconds=60, poll=(1, 2, 5)) == "here"
    assert slept == [1, 2, 5, 5]


def test_an_answer_that_is_false_is_an_answer(slept: list[float]) -> None:
    assert wait_until(lambda: 0, seconds=60, poll=(1,)) == 0
    assert slept == []


def test_after_its_time_there_is_none(slept: list[float]) -> None:
    assert wait_until(lambda: None, seconds=10, poll=(5,)) is None
    assert slept == [5, 5]


def test_without_any_time_it_asks_once(slept: list[float]) -> None:
    asked = []
    assert wait_until(lambda: asked.append(1), seconds=0, poll=(5,)) is None
    assert asked == [1]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_sees_what_is_waited_for_and_since_when_and_a_pipe_nothing(is_terminal: bool) -> None:
    text = io.StringIO()
    with waiting(Console(file=text, force_terminal=is_terminal, width=80), "waiting for [server 2]") as show:
        show("waiting for server 2: no etcd")
    if is_terminal:
        assert "waiting for server 2: no etcd" in text.getvalue(), text.getvalue()
        assert "0:00:00" in text.getvalue(), text.getvalue()
    else:
        assert text.getvalue() == ""


def test_a_pipe_gets_no_colours_and_a_width_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", text := io.StringIO())
    terminal().print("[red]refused[/] 3 of prod")
    assert text.getvalue() == "refused 3 of prod\n"
    assert terminal().width == PIPE_WIDTH
