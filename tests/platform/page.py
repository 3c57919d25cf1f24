"""The table of the cluster's rights in docs/runbooks/access.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.generated import between

FILE = Path(__file__).parents[2] / "docs/runbooks/access.md"

BEGIN = "<!-- made by `make rights-cluster` -->"
END = "<!-- up to here: rights-cluster -->"


def table(matrix: Mapping[str, Any]) -> str:
    """A row for each attempt, a column for each who tried; then how much each may look at and change."""
    everybody = list(matrix["attempts"])
    rows = [f"| tried | {' | '.join(f'`{who}`' if ' ' not in who else who for who in everybody)} |"]
    rows.append("|---" * (len(everybody) + 1) + "|")
    for what in next(iter(matrix["attempts"].values())):
        rows.append(f"| {what} | {' | '.join(matrix['attempts'][who][what] for who in everybody)} |")
    rows.append("")
    for who in everybody:
        rows.append(f"- {f'`{who}`' if ' ' not in who else who}: {_sentence(matrix['rights'][who])}.")
    return "\n".join([*rows, "", *_controllers(matrix["controllers"])])


def _controllers(matrix: Mapping[str, Any]) -> list[str]:
    """What anybody who holds a controller's pod holds, in each release set; the versions stand in the sets."""
    named = [f"`{name}`" for name in matrix]
    rows = ["Of the accounts of the platform's controllers, in all namespaces, by release set:", ""]
    rows += [f"| account | {' | '.join(named)} |", "|---" * (len(named) + 1) + "|"]
    accounts = sorted({who for each in matrix.values() for who in each["accounts"]})
    for who in accounts:
        first, *others = [_may(each["accounts"].get(who)) for each in matrix.values()]
        rows.append(f"| `{who}` | {' | '.join([first, *('the same' if each == first else each for each in others)])} |")
    return rows


def _may(acts: list[str] | None) -> str:
    if acts is None:
        return "is not there"
    return ", ".join(acts) or "nothing of what was asked"


READING = {"get", "list", "watch"}


def _sentence(rights: Mapping[str, Mapping[str, str]]) -> str:
    if "everywhere" in rights:
        return "every verb on every kind"
    clauses = []
    for place, verbs in rights.items():
        if not verbs:
            continue
        seen = [kind for kind, each in verbs.items() if set(each.split()) & READING]
        changed = [f"`{kind}` ({each})" for kind, more in verbs.items() if (each := _changes(more))]
        clauses.append(f"in {place} looks at {len(seen)} kinds and changes {', '.join(changed) or 'none'}")
    return "; ".join(clauses) or "nothing at all"


def _changes(verbs: str) -> str:
    return " ".join(verb for verb in verbs.split() if verb not in READING)


def renewed(text: str, matrix: Mapping[str, Any]) -> str:
    """The page with its table made again."""
    return between(text, BEGIN, END, table(matrix))
