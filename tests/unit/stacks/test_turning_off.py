"""Switches that are turned off again: what goes with them is declared, so that the plan is not refused."""

import json
from pathlib import Path
from typing import Any

import main
from operations.deployment.plan_summary import losses, refuse_losses
from settings.names import helm_stack, infrastructure_stack
from tests.everything import NAME, everything

Document = dict[str, Any]


def _turning_off(on: Document, off: Document) -> Document:
    """The plan, as Terraform's JSON has it, by which one stack's resources and settings become another's."""
    gone = [
        {"address": f"{kind}.{name}", "type": kind, "change": {"actions": ["delete"], "before": block}}
        for kind, blocks in on["resource"].items()
        for name, block in blocks.items()
        if name not in off["resource"].get(kind, {})
    ]
    before, after = (each["output"]["settings"]["value"] for each in (on, off))
    return {"resource_changes": gone, "output_changes": {"settings": {"before": before, "after": after}}}


def test_a_switch_may_take_away_what_it_brought(tmp_path: Path) -> None:
    main.build_app(everything(tmp_path, deletion_protection=False), outdir=str(tmp_path / "out")).synth()
    for stack in (infrastructure_stack, helm_stack):
        on, off = (
            json.loads((tmp_path / "out/stacks" / stack(name) / "cdk.tf.json").read_text()) for name in (NAME, "dev")
        )
        plan = _turning_off(on, off)
        assert losses(plan), f"no switch brings anything precious to {stack(NAME)}: is everything on?"
        refuse_losses(plan)
