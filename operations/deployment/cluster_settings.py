"""What changes in a Helm stack, from its state alone: its own plan needs the cluster, and is made when the infrastructure was applied.

So that is known first what a deploy would do to what runs there, and refused what the Helm stack would refuse at the end.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.deployment.plan_summary import Plan, effect_of, refuse_settings, settings_changed
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.stack_json import Document
from operations.shared.terraform import program
from settings.base import literal
from settings.names import helm_stack

REMEMBERED = "terraform_data"
"""The type of the resources that keep what is fixed (``modules.fixed``)."""


def refuse(name: str) -> Plan:
    """Stop where the Helm stack of an environment would refuse what the settings say now.

    :returns: what a plan would say of its settings (the part ``output_changes`` of Terraform's JSON).

    Raises:
        Failure: a setting is fixed or never smaller, with the way; or the stack's state cannot be read.
    """
    document = Document.read(helm_stack(name))
    state = read_state(document)
    _refuse_fixed(document, state)
    after = document.content["output"]["settings"]["value"]
    before = state.settings if state else None
    plan: Plan = {"output_changes": {"settings": {"before": before, "after": after}}}
    refuse_settings(plan)
    return plan


def show(name: str, plan: Plan) -> None:
    """Tell the terminal which settings a deploy would bring to the cluster, and what each takes."""
    keys, stack = settings_changed(plan), helm_stack(name)
    console = terminal()
    if keys is None:
        console.print(f"\n[bold]{stack} is new[/], or was deployed before it remembered its settings")
    elif not keys:
        console.print(f"\n[bold]{stack}: no setting changes[/]")
    else:
        console.print(f"\n[bold]{stack}: a deploy brings to the cluster[/]")
        for key in keys:
            console.print(f"  {key}: {effect_of(plan, key)}", markup=False)


@dataclass(frozen=True)
class State:
    """What a stack's state remembers."""

    settings: dict[str, str] | None
    """Of the last apply, as Terraform's JSON would have them; None of one that did not remember them."""

    fixed: dict[str, dict[str, str]]
    """What was there at the first deploy, by the name of the resource that keeps it."""


def read_state(document: Document) -> State | None:
    """The state of a synthesised stack; None before its first deploy.

    Terraform reads it, which knows whether it is encrypted, in a folder that has the backend alone: no provider is needed.

    Raises:
        Failure: it cannot be read.
    """
    terraform = document.content["terraform"]
    alone = {"terraform": {key: terraform[key] for key in ("backend", "encryption") if key in terraform}}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cdk.tf.json").write_text(json.dumps(alone))
        _run(document.stack, folder, "init", "-input=false")
        written = _run(document.stack, folder, "state", "pull")
    return _state(json.loads(written)) if written.strip() else None


def _run(stack: str, folder: str, *arguments: str) -> str:
    command = [program(), f"-chdir={folder}", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise Failure(
            f"the state of {stack} cannot be read, so what a deploy would change on the cluster is not known:\n{answer.stderr.strip()}\n"
            "Nothing was changed. make doctor says more"
        )
    return answer.stdout


def _state(written: dict[str, Any]) -> State:
    settings = written.get("outputs", {}).get("settings", {}).get("value")
    kept = [each for each in written.get("resources", []) if each["type"] == REMEMBERED and each["instances"]]
    return State(
        {key: literal(value) for key, value in settings.items()} if settings is not None else None,
        {each["name"]: each["instances"][0]["attributes"]["input"]["value"] for each in kept},
    )


def _refuse_fixed(document: Document, state: State | None) -> None:
    """The stack's own postconditions, with what its state has."""
    refused = []
    for name, block in document.content["resource"].get(REMEMBERED, {}).items():
        deployed = state.fixed.get(name, {}) if state else {}
        for (key, wanted), rule in zip(block["input"].items(), block["lifecycle"]["postcondition"], strict=True):
            if deployed.get(key, wanted) != wanted:
                refused.append(re.sub(r"\$\{[^}]*\}", deployed[key], rule["error_message"]))
    if refused:
        raise Failure("\n".join([*refused, "Nothing was changed."]))
