"""Errors and warnings as people read them in a terminal: coloured and wrapped there, plain text anywhere else."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TextIO

from settings.loader import ENVIRONMENTS, Settings, load
from settings.problems import Problem, SettingsError, SettingsWarning

LABEL = 9
"""Width of ``rule`` and ``remedy`` with the blanks after them."""


def load_or_exit(directory: Path = ENVIRONMENTS) -> Settings:
    """The settings; if they are wrong, every error on standard error and exit status 1."""
    try:
        return load(directory)
    except SettingsError as error:
        show_errors(error)
        sys.exit(1)


def show_errors(error: SettingsError, stream: TextIO = sys.stderr) -> None:
    """Every error with its place, value, rule and remedy."""
    show_problems(error.title, error.problems, stream)
