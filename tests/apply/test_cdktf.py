"""The ``cdktf`` command line tool, as its users install it, on an emulator of its own: nothing was deployed before."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import main
from operations.devtools.emulator.account import account
from operations.shared.terraform import binary
from settings import Settings
from tests.apply.conftest import skip_or_fail
from tests.cdktf import Cdktf, Missing, install

STACKS = ("vet-dev", "vet-prod")


@pytest.fixture(scope="module")
def program() -> Path:
    """The tool."""
    try:
        return install()
    except Missing as missing:
        skip_or_fail(str(missing))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tool writes, so that nothing in the repository's own ``cdktf.out/`` comes to know of the emulator."""
    return tmp_path_factory.mktemp("cdktf")


@pytest.fixture(scope="module")
def cdktf(workspace: Path, settings: Settings, program: Path, folder: Path) -> Iterator[Cdktf]:
    """Run the tool in the repository, with the state bucket made before, as the README says."""
    with account(folder, settings) as fresh:
        fresh.make_state()

        yield Cdktf(program, folder / "out", fresh.emulator.environment)


def test_list_names_every_stack(cdktf: Cdktf) -> None:
    listed = re.findall(r"^(vet-\S+) ", cdktf("list"), re.MULTILINE)
    helm = [f"{name}-helm" for name in STACKS]
    assert sorted(listed) == sorted(["vet-state", *STACKS, *helm])


def test_synth_writes_the_same_as_make_synth(cdktf: Cdktf, folder: Path, settings: Settings, tmp_path: Path) -> None:
    cdktf("synth")
    main.build_app(settings, str(tmp_path)).synth()
    written, ours = (
        {path.parent.name: path.read_bytes() for path in output.glob("stacks/*/cdk.tf.json")}
        for output in (folder / "out", tmp_path)
    )
    assert written.keys() == ours.keys()
    different = [name for name in ours if ours[name] != written[name]]
    assert not different, f"cdktf synth writes other bytes than make synth: {different}"


def test_diff_shows_what_would_be_made(cdktf: Cdktf) -> None:
    plan = re.search(
        r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy",
        cdktf("diff", "vet-dev", "--no-color", "--skip-provider-lock"),
    )
    assert plan is not None
    added, changed, destroyed = map(int, plan.groups())
    assert added > 100
    assert (changed, destroyed) == (0, 0)


def test_deploy_makes_both_environments_in_one_command(cdktf: Cdktf, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    log = cdktf(
        "deploy", *STACKS, "--no-color", "--auto-approve", "--skip-provider-lock", "--outputs-file", str(outputs)
    )
    applied = re.findall(r"Apply complete! Resources: (\d+) added, 0 changed, 0 destroyed", " ".join(log.split()))
    assert len(applied) == len(STACKS), log[-4000:]
    assert all(int(added) > 100 for added in applied), f"{applied} resources were added"
    values = json.loads(outputs.read_text())
    for name in STACKS:
        assert values[name]["credentials_prefix"] == f"{name}/credentials"


@pytest.mark.parametrize("name", [f"{name}-helm" for name in STACKS])
def test_terraform_accepts_the_helm_stacks(workspace: Path, name: str) -> None:
    folder = workspace / "cdktf.out/stacks" / name
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}

    def terraform(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [binary(), *arguments, "-no-color"]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    init = terraform("init", "-backend=false", "-input=false")
    if "Failed to query available provider packages" in init.stderr:
        skip_or_fail(
            "Terraform cannot install the providers helm and kubernetes: give it a network, or a folder of plugins"
        )
    valid = terraform("validate")
    assert valid.returncode == 0, valid.stdout + valid.stderr
