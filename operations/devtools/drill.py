"""``make drill [STEP=state]``: prove the recovery plan of docs/architecture.txt, step by step, on this machine.

Each step first breaks what it is about, sees that it is broken, brings it back by the command that its runbook names, and checks that
nothing is missing. A step that fails turns the drill red; the others are still run. A step for which this machine lacks something proves
less, and says so.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from operations.devtools.drill_steps import (
    CheckedOnly,
    Drill,
    console,
    lose_state,
    rebuild_elsewhere,
    redeploy,
    restore_database,
    restore_etcd,
)
from operations.shared.errors import Failure


@dataclass(frozen=True)
class DrillStep:
    """One step of the recovery plan."""

    name: str
    plan: str
    """Its words in docs/architecture.txt."""

    runbook: str
    prove: Callable[[Drill], str]
    """Does it and says what was seen; raises ``Failure`` if recovery does not work, ``CheckedOnly`` if it cannot be tried here."""


STEPS = (
    DrillStep("state", "Restore Terraform state", "lost-state-file", lose_state),
    DrillStep("infrastructure", "Re-apply infrastructure", "lost-region", rebuild_elsewhere),
    DrillStep("etcd", "Restore etcd snapshot", "lost-quorum", restore_etcd),
    DrillStep("applications", "Redeploy applications", "shipping-the-application", redeploy),
    DrillStep("data", "Restore data from backups", "lost-data", restore_database),
)
"""The recovery plan, in its order."""


def run(names: Sequence[str], steps: Sequence[DrillStep] = STEPS) -> bool:
    """Run the steps and show how each went.

    :param names: steps; none means all.

    Returns whether none of them failed.

    Raises:
        Failure: there is no such step.
    """
    if unknown := set(names) - {step.name for step in steps}:
        raise Failure(
            f"there is no step {', '.join(sorted(unknown))}; there are {', '.join(step.name for step in steps)}"
        )
    table = Table("", "step", "what was seen", "seconds", "docs/runbooks/", box=SIMPLE, pad_edge=False)
    good, unproven = True, []
    with tempfile.TemporaryDirectory(prefix="vet-drill-") as folder, ExitStack() as keep:
        drill = Drill(Path(folder), keep)
        for step in (each for each in steps if not names or each.name in names):
            console.print(f"[bold]{step.plan}[/]")
            started = time.monotonic()
            try:
                seen, mark = step.prove(drill), "[green]proven[/]"
            except CheckedOnly as weaker:
                seen, mark = str(weaker), "[yellow]checked only[/]"
                unproven.append(step.plan)
            except Failure as failure:
                seen, mark, good = str(failure), "[red]fails[/]", False
                console.print(f"  [red]{seen}[/]", markup=True)
            table.add_row(mark, step.plan, seen, f"{time.monotonic() - started:.0f}", f"{step.runbook}.md")
    console.print(table)
    if unproven:
        console.print(f"[yellow]not proven here:[/] {', '.join(unproven)}")
    return good
