"""What an environment uses that is no longer maintained, or soon will not be: a line under ``make synth``, a table under ``make doctor``."""

import datetime

from rich.box import SIMPLE
from rich.table import Table

from settings.end_of_life import Use, uses
from settings.environment import Environment


def notice(environment: Environment, today: datetime.date) -> str:
    """One line about what has ended, or ends within 90 days; empty if nothing does."""
    ending = [use for use in uses(environment) if use.ends_within(today)]
    if not ending:
        return ""
    return f"{environment.name} uses what is not maintained (make doctor ENV={environment.name}): " + ", ".join(
        _said(use, today) for use in ending
    )


def table(environment: Environment, today: datetime.date) -> Table:
    """Everything that the environment uses, with the end of its line, what follows, and who says so."""
    table = Table("uses", "version", "maintained until", "what follows", "source", box=SIMPLE, pad_edge=False)
    for use in uses(environment):
        colour = "yellow" if use.ends_within(today) else ""
        until = (
            f"[{colour}]{use.line.date}[/]"
            if use.line and colour
            else str(use.line.date if use.line else "no date published")
        )
        table.add_row(
            use.component, use.version, until, use.line.follows if use.line else "", use.line.source if use.line else ""
        )
    return table


def _said(use: Use, today: datetime.date) -> str:
    assert use.line is not None  # what ends has a line
    verb = "ended" if use.line.date < today else "ends"
    return f"{use.component} {use.line.line} {verb} on {use.line.date}, then {use.line.follows}"
