"""A deployed environment moves from Terraform to OpenTofu and back, and no plan sees a change."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import main
from operations.devtools.emulator.known_gaps import Clients
from operations.devtools.emulator.stack import Stack
from operations.shared.terraform import NAMED
from settings import load
from settings.engines import ENGINES
from settings.names import state_key
from tests.apply.conftest import skip_or_fail
from tests.changes import one_environment


@dataclass(frozen=True)
class Moving:
    """Development in a folder of its own, with the state of the one that is deployed."""

    folder: Path
    environment: dict[str, str]
    patch: pytest.MonkeyPatch

    def plan_and_apply(self, program: str, **project: str) -> list[str]:
        """What a plan by this program would change; then apply it, which writes the state.

        :param project: lines of ``_project.yaml``.
        """
        self.patch.setenv(NAMED, program)
        main.build_app(load(one_environment(self.folder, {}, project)), outdir=str(self.folder / "cdktf.out")).synth()
        stack = Stack(self.folder / "cdktf.out/stacks/vet-dev", self.environment)
        stack.run("init", "-input=false", "-reconfigure")
        changes = stack.unexpected_changes()
        stack.run("apply", "-auto-approve", "-input=false")
        return changes


@pytest.fixture
def moving(stacks: dict[str, Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moving]:
    """The environment that moves; it ends where it began, whatever a test has found."""
    if missing := [name for name in ENGINES if shutil.which(name) is None]:
        skip_or_fail(f"{' and '.join(missing)} must be on the PATH, beside the other engine, for a move between them")
    move = Moving(tmp_path, stacks["vet-dev"].environment, monkeypatch)
    yield move
    move.plan_and_apply("tofu", engine="tofu", state_encryption="decrypt")
    move.plan_and_apply("terraform")


def state(aws: Clients) -> dict[str, Any]:
    """The state as it lies in the bucket."""
    bucket = load().project.state_bucket
    content: dict[str, Any] = json.loads(aws("s3").get_object(Bucket=bucket, Key=state_key("vet-dev"))["Body"].read())
    return content


def registries(aws: Clients) -> set[str]:
    """Where the state says that its providers come from."""
    return {each["provider"].split('"')[1].split("/")[0] for each in state(aws)["resources"]} - {"terraform.io"}


def test_terraform_opentofu_terraform(moving: Moving, aws: Clients) -> None:
    assert registries(aws) == {ENGINES["terraform"].registry}
    assert not moving.plan_and_apply("tofu", engine="tofu")
    assert not moving.plan_and_apply("terraform")


def test_state_is_encrypted_and_decrypted(moving: Moving, aws: Clients) -> None:
    assert not moving.plan_and_apply("tofu", engine="tofu", state_encryption="encrypt")
    assert "resources" not in state(aws), "the state is not encrypted"
    assert not moving.plan_and_apply("tofu", engine="tofu", state_encryption="encrypt"), "it cannot be read again"
    assert not moving.plan_and_apply("tofu", engine="tofu", state_encryption="decrypt")
    assert state(aws)["resources"], "the state is still encrypted"
    assert not moving.plan_and_apply("terraform")
