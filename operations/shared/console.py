"""The terminal as commands write to it, and waiting with what is waited for and for how long."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PIPE_WIDTH = 140
"""Columns where nothing is a terminal, such as in a log: tables of ours are no wider."""

Answer = TypeVar("Answer")


def terminal(*, stderr: bool = False, whole_lines: bool = False, width: int = PIPE_WIDTH) -> Console:
    """A console without colours of its own for numbers and paths; in pipes without any.

    :param stderr: for what is not the command's result.
    :param whole_lines: never break a line, because people copy commands from it.
    :param width: columns of a pipe.
    """
    stream = sys.stderr if stderr else sys.stdout
    return Console(highlight=False, stderr=stderr, soft_wrap=whole_lines, width=None if stream.isatty() else width)


@contextmanager
def waiting(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show what is waited for and since when, on a terminal; nothing in pipes. What is yielded changes the text."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda text: progress.update(task, description=text)


def timed(console: Console, what: str, work: Callable[[], object]) -> None:
    """Say what begins, do it, and say how long it took."""
    console.print(f"{what} ...")
    started = time.monotonic()
    work()
    console.print(f"  [green]done[/]: {what} ({time.monotonic() - started:.0f} s)")


def wait_until(look: Callable[[], Answer | None], *, seconds: float, poll: Sequence[float]) -> Answer | None:
    """What ``look`` returns, asked again until it is not None; None when it still is at the end.

    :param seconds: how long to ask. It is asked at least once.
    :param poll: seconds between two questions; the last one repeats.
    """
    deadline, pauses = time.monotonic() + seconds, chain(poll, repeat(poll[-1]))
    while (answer := look()) is None and time.monotonic() < deadline:
        time.sleep(next(pauses))
    return answer
