"""What an environment uses that is no longer maintained, or soon will not be: a line under ``make synth``, a table under ``make doctor``."""

import datetime
from collections.abc import Iterable, Mapping

from rich.box import SIMPLE
from rich.table import Table

from settings.end_of_life import Use, tools, uses
from settings.environment import Environment


def notice(environment: Environment, today: datetime.date) -> str:
    """One line about what has ended, or ends within 90 days; empty if nothing does."""
    return _line(
        f"{environment.name} uses what is not maintained (make doctor ENV={environment.name})", uses(environment), today
    )


def tools_notice(today: datetime.date) -> str:
    """The same of what makes the stacks, which all environments share."""
    return _line("the stacks are made by what is not maintained", tools(), today)


def table(environment: Environment, today: datetime.date, engines: Mapping[str, str] | None = None) -> Table:
    """Everything that the environment uses, with the end of its line or why there is none, what follows, and who says so.

    :param engines: version of the program here that applies the stacks, by its title: Terraform or OpenTofu.
    """
    table = Table("uses", "version", "maintained until", "what follows", "source", box=SIMPLE, pad_edge=False)
    for use in (*uses(environment), *tools(engines)):
        until = f"[yellow]{use.end}[/]" if use.ends_within(today) else _until(use)
        follows, source = (use.line.follows, use.line.source) if use.line else ("", "")
        table.add_row(use.component, use.version, until, follows, source)
    return table


def _until(use: Use) -> str:
    if use.line is None:
        return "not in settings/end_of_life.yaml"
    return str(use.line.date or use.line.reason)


def _line(begins: str, components: Iterable[Use], today: datetime.date) -> str:
    ending = [_said(use, today) for use in components if use.ends_within(today)]
    return f"{begins}: {', '.join(ending)}" if ending else ""


def _said(use: Use, today: datetime.date) -> str:
    assert use.line is not None  # what ends has a line
    assert use.end is not None
    verb = "ended" if use.end < today else "ends"
    return f"{use.component} {use.line.line} {verb} on {use.end}, then {use.line.follows}"
