"""Emulator, state bucket and both environments: each made once, by the programs that people run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import main
from operations.emulator import REPOSITORY, Emulator
from settings import Settings, load
from tests.apply.forgetful import Clients, clients
from tests.apply.terraform import Stack, provider_versions


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The repository's own environments."""
    return load()


@pytest.fixture(scope="session")
def workspace(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``cdktf.out/``, in which Terraform could install the providers."""
    folder = tmp_path_factory.mktemp("apply")
    if shutil.which("terraform") is None:
        _cannot("Terraform is not on PATH: install Terraform 1.11 or newer")
    main.build_app(settings, outdir=str(folder / "cdktf.out")).synth()
    stack = folder / "cdktf.out/stacks/vet-state"
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": str(folder / "probe")}
    command = ["terraform", "init", "-backend=false", "-input=false", "-no-color", "-lockfile=readonly"]
    probe = subprocess.run(command, cwd=stack, env=environment, capture_output=True, text=True)
    if "Failed to query available provider packages" in probe.stderr + probe.stdout:
        _cannot(
            "Terraform cannot install its providers: give it a network, or put them into "
            "~/.terraform.d/plugins/registry.terraform.io/hashicorp/NAME/VERSION/linux_amd64/"
        )
    return folder


def _cannot(reason: str) -> None:
    """Skip, or fail where the providers are required."""
    if os.environ.get("VET_REQUIRE_PROVIDERS") == "1":
        pytest.fail(f"VET_REQUIRE_PROVIDERS=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def emulator(workspace: Path, pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """The emulator; at its end, the versions of the providers that called it are noted for the report."""
    log = workspace / "emulator.log"
    with Emulator(log) as running:
        yield running
    pytestconfig.stash[PROVIDERS] = provider_versions(log)


PROVIDERS = pytest.StashKey[set[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was really run, which may stand in for the version that the JSON asks for."""
    versions = config.stash.get(PROVIDERS, set())
    if versions:
        terminalreporter.write_line(f"AWS provider that ran, by its own word: {', '.join(sorted(versions))}")


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Clients:
    """Clients of the emulator."""
    return clients(emulator.environment)


def make_state(workspace: Path, emulator: Emulator) -> str:
    """``make state`` in the workspace; its output."""
    run = subprocess.run(
        [sys.executable, "-m", "operations.state", "--yes"],
        cwd=workspace,
        env={**emulator.environment, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="session")
def first_state(workspace: Path, emulator: Emulator) -> str:
    """Output of the account's first ``make state``."""
    return make_state(workspace, emulator)


@pytest.fixture(scope="session")
def stacks(workspace: Path, emulator: Emulator, first_state: str) -> dict[str, Stack]:
    """The three stacks of the infrastructure, applied; the environments side by side."""
    folder = workspace / "cdktf.out/stacks"
    found = {name: Stack(folder / name, emulator.environment) for name in ("vet-state", "vet-dev", "vet-prod")}
    with ThreadPoolExecutor() as pool:
        list(pool.map(Stack.apply, [found["vet-dev"], found["vet-prod"]]))
    return found
