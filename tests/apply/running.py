"""An environment of the emulated account whose settings are changed while it runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import main
from operations.emulator.stack import Stack
from operations.plan_summary import refuse_losses, summary
from settings import load
from tests.changes import dev_alone


@dataclass(frozen=True)
class Running:
    """An environment that is changed."""

    folder: Path
    environment: dict[str, str]

    @property
    def stack(self) -> Stack:
        """Its infrastructure."""
        return Stack(self.folder / "cdktf.out/stacks/vet-dev", self.environment)

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Apply the repository's settings with these changes."""
        main.build_app(load(dev_alone(self.folder, changes)), outdir=str(self.folder / "cdktf.out")).synth()
        self.stack.apply()

    def deploy(self, changes: Mapping[str, Any]) -> list[str]:
        """As ``make deploy`` does: plan, refuse what takes away too much, apply that very plan. Returns what was said of it.

        Raises:
            Failure: the plan is refused.
        """
        main.build_app(load(dev_alone(self.folder, changes)), outdir=str(self.folder / "cdktf.out")).synth()
        if not (self.stack.folder / ".terraform").exists():
            self.stack.run("init", "-input=false", "-reconfigure")
        # What was there before was refreshed by the plan that found nothing to change after the last step.
        self.stack.run("plan", "-input=false", "-refresh=false", "-out=plan.tfplan")
        plan = json.loads(self.stack.run("show", "-json", "plan.tfplan").stdout)
        refuse_losses(plan)
        self.stack.run("apply", "-input=false", "plan.tfplan")
        return summary(self.stack.name, plan)
