"""The table of rights in docs/runbooks/access.md: what is open, by the reasons for which it is."""

from collections.abc import Sequence
from pathlib import Path

from tests.rights.matrix import Cell, home
from tests.rights.reasons import Reason, reasons

FILE = Path(__file__).parents[2] / "docs/runbooks/access.md"

BEGIN = "<!-- made by `make rights` -->"
END = "<!-- up to here -->"

FEW = 7
"""Acts that a row names; of more it says how many."""


def table(cells: Sequence[Cell]) -> str:
    """A row for each reason, with what it explains."""
    rows = ["| who | can | on | why |", "|---|---|---|---|"]
    for reason in reasons():
        explained = [cell for cell in cells if reason.explains(cell)]
        acts = sorted({cell.act for cell in explained})
        can = ", ".join(f"`{act}`" for act in acts) if len(acts) <= FEW else f"all of {len(acts)} sensitive actions"
        rows.append(f"| {_who(reason)} | {can} | {_on(reason)} | {reason.reason} |")
    crossing = sum(home(cell.identity) not in (cell.environment, "account", "") for cell in cells if not _shared(cell))
    return "\n".join([*rows, "", f"From one environment into another: {crossing} of these."])


def _shared(cell: Cell) -> bool:
    return cell.environment == "account"


def _who(reason: Reason) -> str:
    return ", ".join(f"`{who.replace('*', '<env>', 1) if 'people' not in who else who}`" for who in reason.who)


def _on(reason: Reason) -> str:
    where = {"own": "its environment", "*": "every environment", "account": "the account"}[reason.where]
    named = ", ".join(each.removesuffix(" *") for each in reason.resources if each != "*")
    return f"{where}: {named}" if named else where


def renewed(text: str, cells: Sequence[Cell]) -> str:
    """The page with its table made anew."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{table(cells)}\n\n{END}{after}"
