"""An environment of the emulated account whose settings are changed while it runs."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import main
from operations.emulator.stack import Stack
from operations.plan_summary import refuse_losses, summary
from settings import load
from settings.documents import merged
from settings.loader import ENVIRONMENTS


def environments(folder: Path, changes: Mapping[str, Any]) -> Path:
    """A folder of settings with dev alone, changed."""
    files = folder / "environments"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    for name in ("_project.yaml", "_common.yaml"):
        shutil.copy(ENVIRONMENTS / name, files)
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    (files / "dev.yaml").write_text(yaml.safe_dump(merged(document, dict(changes))))
    return files


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
        files = environments(self.folder, changes)
        main.build_app(load(files), outdir=str(self.folder / "cdktf.out")).synth()
        self.stack.apply()

    def deploy(self, changes: Mapping[str, Any]) -> list[str]:
        """As ``make deploy`` does: plan, refuse what takes away too much, apply that very plan. Returns what was said of it.

        Raises:
            Failure: the plan is refused.
        """
        main.build_app(load(environments(self.folder, changes)), outdir=str(self.folder / "cdktf.out")).synth()
        self.stack.run("init", "-input=false", "-reconfigure")
        self.stack.run("plan", "-input=false", "-out=plan.tfplan")
        plan = json.loads(self.stack.run("show", "-json", "plan.tfplan").stdout)
        refuse_losses(plan)
        self.stack.run("apply", "-input=false", "plan.tfplan")
        return summary(self.stack.name, plan)
