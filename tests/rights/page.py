"""The table of rights in docs/runbooks/access.md: what is open, by the reasons for which it is."""

import re
from collections.abc import Sequence
from pathlib import Path

from tests.generated import between
from tests.rights.matrix import Cell, home
from tests.rights.reasons import Reason, reasons

FILE = Path(__file__).parents[2] / "docs/runbooks/access.md"

BEGIN = "<!-- made by `make rights` -->"
END = "<!-- up to here -->"

FEW = 7
"""Acts that a row names; of more it says how many."""


def table(cells: Sequence[Cell], company: Sequence[Cell]) -> str:
    """A row for each reason, with what it explains; then what crosses from one environment into another.

    :param company: the cells where a company's boundary takes the place of the environments' own.
    """
    rows = ["| who | can | on | why |", "|---|---|---|---|"]
    for reason in reasons():
        explained = [cell for cell in cells if reason.explains(cell)]
        acts = sorted({cell.act for cell in explained})
        can = ", ".join(f"`{act}`" for act in acts) if len(acts) <= FEW else f"all of {len(acts)} sensitive actions"
        rows.append(f"| {_who(reason)} | {can} | {_on(reason)} | {reason.reason} |")
    lines = [f"From one environment into another: {len(crossing(cells))} of these.", "", *_of_company(company)]
    return "\n".join([*rows, "", *lines])


def crossing(cells: Sequence[Cell]) -> list[Cell]:
    """What identities of one environment can do to another's things."""
    return [cell for cell in cells if home(cell.identity) not in (cell.environment, "account") and not _shared(cell)]


def _of_company(company: Sequence[Cell]) -> list[str]:
    """What a company's boundary that allows everything leaves open: by whom, how much, and on what."""
    crossings = crossing(company)
    by: dict[str, list[Cell]] = {}
    for cell in crossings:
        by.setdefault(re.sub(r"(deploy|operate)-\w+", r"\1-<env>", cell.identity), []).append(cell)
    rows = [
        f"| `{who}` | {len({cell.act for cell in cells})} | {', '.join(sorted({cell.resource.split()[0] for cell in cells}))} |"
        for who, cells in sorted(by.items())
    ]
    sentence = f"Where a company's boundary takes the place of the environments' own and keeps nothing apart: {len(crossings)}."
    return [sentence, "", "| who | sensitive actions in other environments | on |", "|---|---|---|", *rows]


def _shared(cell: Cell) -> bool:
    return cell.environment == "account"


def _who(reason: Reason) -> str:
    return ", ".join(f"`{who.replace('*', '<env>', 1) if 'people' not in who else who}`" for who in reason.who)


def _on(reason: Reason) -> str:
    where = {"own": "its environment", "*": "every environment", "account": "the account"}[reason.where]
    named = ", ".join(each.removesuffix(" *") for each in reason.resources if each != "*")
    return f"{where}: {named}" if named else where


def renewed(text: str, cells: Sequence[Cell], company: Sequence[Cell]) -> str:
    """The page with its tables made again."""
    return between(text, BEGIN, END, table(cells, company))
