"""The library as others get it: a wheel, installed into an environment that has nothing else, writes the example's stacks, and Terraform applies them."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import clients
from operations.devtools.emulator.stack import Stack
from tests.engines.environments import installed, interpreter
from tests.library import EXAMPLE, ROOT, expect_a_cluster, page, run, stacks

ENGINES = {
    "cdktf": ("3.12", ""),
    "cdktn": ("3.13", "from vet_platform import bindings; bindings.enable()\n"),
}
"""Of each engine: Python, and what a program says first."""

BUCKET = "acme-terraform-state"
"""State of the example."""


@dataclass(frozen=True)
class Example:
    """The example in a folder of its own, with its stacks written."""

    engine: str
    folder: Path
    program: Path
    """Python of its environment."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as people and the workflow build it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=ENGINES)
def example(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example by each engine."""
    engine: str = request.param
    python, first = ENGINES[engine]
    if interpreter(python) is None:
        pytest.skip(f"no Python {python}: install one, for instance with pyenv install {python}")
    kept = ROOT / ".cache/engines" / wheel.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(wheel, kept)
    program = installed(f"library-{engine}-{python}", python, [f"vet-platform[{engine}] @ {kept.as_uri()}"])
    # The environment may be of an earlier run, with another wheel of the same version.
    again = [program, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(wheel)]
    subprocess.run(again, check=True)
    folder = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp(engine) / "project")
    start = "import runpy, sys; sys.path.insert(0, '.'); runpy.run_path('main.py', run_name='__main__')"
    run(f"{first}{start}", folder, program)
    return Example(engine, folder, program)


@pytest.fixture(scope="module")
def bucket(emulated: Account) -> Account:
    """An account with a bucket for the example's state."""
    there = {"LocationConstraint": "eu-central-1"}
    clients(emulated.emulator.environment)("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=there)
    return emulated


def test_a_project_of_its_own_has_its_cluster(example: Example) -> None:
    expect_a_cluster(stacks(example.folder))


def test_the_page_says_what_is_so(example: Example, tmp_path: Path) -> None:
    first = ENGINES[example.engine][1]
    run(first + page(), tmp_path, example.program)


def test_its_machines_are_applied_by_one_engine_and_planned_by_the_other(example: Example, bucket: Account) -> None:
    machines = Stack(example.folder / "cdktf.out/stacks/machines", bucket.emulator.environment)
    machines.run("init", "-input=false")
    machines.run("validate")
    if machines.state():
        assert not (changes := machines.unexpected_changes()), f"not as the other engine's JSON has it: {changes}"
    machines.run("apply", "-auto-approve", "-input=false")
    assert not (changes := machines.unexpected_changes()), changes
    servers = [each["values"]["private_ip"] for each in machines.state() if each["type"] == "aws_instance"]
    assert sorted(servers) == ["10.8.10.10", "10.8.10.11", "10.8.11.10"]
