"""The real Terraform in a folder of synthesised stacks, against the emulator."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.devtools.emulator.known_gaps import FORGOTTEN
from operations.shared.errors import Failure
from operations.shared.terraform import binary


@dataclass(frozen=True)
class Stack:
    """One stack's folder and the environment in which Terraform runs there."""

    folder: Path
    environment: dict[str, str]

    @property
    def name(self) -> str:
        """Such as ``vet-dev``."""
        return self.folder.name

    def run(self, *arguments: str, expect: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run Terraform and require one of the exit statuses ``expect``.

        Raises:
            Failure: it ended otherwise; the text is Terraform's own.
        """
        answer = subprocess.run(
            [binary(), *_uncoloured(arguments)],
            cwd=self.folder,
            env={**self.environment, "TF_IN_AUTOMATION": "1"},
            capture_output=True,
            text=True,
        )
        if answer.returncode not in expect:
            output = f"{answer.stdout[-3000:]}\n{answer.stderr}".strip()
            raise Failure(f"{self.name}: {binary()} {' '.join(arguments)} ended with {answer.returncode}:\n{output}")
        return answer

    def apply(self) -> None:
        """Initialise with the S3 backend, validate and apply."""
        self.run("init", "-input=false")
        self.run("validate")
        self.run("apply", "-auto-approve", "-input=false")

    def changes(self) -> list[str]:
        """What a plan would change, as ``type.attribute: before -> after``; empty if nothing."""
        answer = self.run("plan", "-detailed-exitcode", "-out=tfplan", "-input=false", expect=(0, 2))
        if answer.returncode == 0:
            return []
        plan = json.loads(self.run("show", "-json", "tfplan").stdout)
        return [
            change
            for resource in plan["resource_changes"]
            if resource["change"]["actions"] != ["no-op"]
            for change in _differences(resource)
        ]

    def unexpected_changes(self) -> list[str]:
        """What a plan would change, apart from what the emulator is known to forget."""
        return [change for change in self.changes() if not any(known.explains(change) for known in FORGOTTEN)]

    def state(self) -> list[dict[str, Any]]:
        """The resources in the state, as ``terraform show -json`` gives them."""
        values = json.loads(self.run("show", "-json").stdout).get("values", {})
        resources: list[dict[str, Any]] = values.get("root_module", {}).get("resources", [])
        return resources

    def written(self) -> dict[str, Any]:
        """The state as it is written (format 4), which no provider has to be started for: ``resources`` and ``outputs``."""
        pulled: dict[str, Any] = json.loads(self.run("state", "pull").stdout)
        return pulled


def _uncoloured(arguments: tuple[str, ...]) -> list[str]:
    """``state`` has no colours, and refuses the option before its own command."""
    command, *rest = arguments
    return [command, *rest] if command == "state" else [command, "-no-color", *rest]


def _differences(resource: dict[str, Any]) -> list[str]:
    change = resource["change"]
    if change["actions"] != ["update"]:
        return [f"{resource['address']} would be {' and '.join(change['actions'])}d"]
    before, after = _flat(change["before"]), _flat(change["after"])
    return [
        f"{resource['type']}.{path}: {before.get(path)!r} -> {after.get(path)!r}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path) and path not in _unknown(change)
    ]


def _unknown(change: dict[str, Any]) -> set[str]:
    """Attributes that AWS will say after the update; they follow from the changes next to them."""
    return {path for path, value in _flat(change["after_unknown"]).items() if value is True}


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested values by their path, such as ``credit_specification[0].cpu_credits``."""
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{path}.{key}").items()}
    if isinstance(value, list):
        return {k: v for i, inner in enumerate(value) for k, v in _flat(inner, f"{path}[{i}]").items()}
    return {path.removeprefix("."): value}


def provider_versions(log: Path) -> set[str]:
    """Versions of the AWS provider that called the emulator, as they name themselves in the User-Agent header."""
    return set(re.findall(r"terraform-provider-aws/(\d+\.\d+\.\d+)", log.read_text()))
