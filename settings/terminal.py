"""Errors and warnings as people read them: in colour and wrapped on a terminal, plain text anywhere else."""

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import TextIO

from settings.former_keys import FormerKey
from settings.loader import ENVIRONMENTS, Settings, load
from settings.problems import Problem, SettingsError, SettingsWarning

COLOURS = {"rule": "default", "remedy": "green", "fine": "dim", "or": "dim"}


def load_or_exit(directory: Path = ENVIRONMENTS) -> Settings:
    """The settings; if they are wrong, every error on standard error and exit status 1."""
    try:
        return load(directory)
    except SettingsError as error:
        show_errors(error)
        sys.exit(1)


def show_errors(error: SettingsError, stream: TextIO | None = None) -> None:
    """Every error with its place, value, rule and remedy, on standard error unless told otherwise."""
    show(error.title, error.problems, "red", stream or sys.stderr)


def show_warnings(warnings: Sequence[SettingsWarning], stream: TextIO) -> None:
    """Warnings that nobody has acknowledged, then the acknowledged ones with their reasons."""
    for title, colour, chosen in (
        ("to look at", "yellow", [warning for warning in warnings if not warning.acknowledged]),
        ("acknowledged", "dim", [warning for warning in warnings if warning.acknowledged]),
    ):
        if chosen:
            show(f"{len(chosen)} {'warning' if len(chosen) == 1 else 'warnings'} {title}.", chosen, colour, stream)


def show_former_keys(former: Sequence[FormerKey], stream: TextIO) -> None:
    """One notice for each file that has former names of settings: line, former and present name of each."""
    for file, keys in groupby(former, key=lambda each: each.file):
        print(f"{file}: these settings have new names; the former ones go on working.", file=stream)
        for each in keys:
            print(f"    line {each.line}: {each.former} is called {each.present}", file=stream)
        print(file=stream)


def show(title: str, problems: Sequence[Problem], colour: str, stream: TextIO) -> None:
    """Print a title and the problems under it."""
    if stream.isatty():
        _show_in_colour(title, problems, colour, stream)
    else:
        print("\n\n".join([title, *map(str, problems)]), end="\n\n", file=stream)


def _show_in_colour(title: str, problems: Sequence[Problem], colour: str, stream: TextIO) -> None:
    from rich.console import Console  # loaded only where it is used: errors appear in a moment
    from rich.text import Text

    width = min(get_terminal_size().columns, 120)
    console = Console(file=stream, width=width, highlight=False, soft_wrap=True)
    console.print(Text(title, f"bold {colour}"))
    for problem in problems:
        console.print()
        console.print(Text.assemble((problem.place, "bold"), "  ", (problem.subject, colour)))
        for label, text in problem.explanation.items():
            lines = wrap(text, width - 12, break_long_words=False, break_on_hyphens=False)
            for number, line in enumerate(lines):
                console.print(Text.assemble((f"    {'' if number else label:<8}", "dim"), (line, COLOURS[label])))
    console.print()
