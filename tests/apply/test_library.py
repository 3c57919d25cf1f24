"""Somebody else's project, as in ``examples/cluster``: its machines are applied, and a second plan is empty."""

import shutil
from pathlib import Path

from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import Clients
from operations.devtools.emulator.stack import Stack
from tests.library import EXAMPLE, laid_out, run

SYNTHESISE = """
from vet_platform import bindings; bindings.enable(start=True)
import runpy, sys; sys.path.insert(0, "."); runpy.run_path("main.py", run_name="__main__")
"""


def test_the_example_is_applied(emulated: Account, aws: Clients, tmp_path: Path) -> None:
    project = shutil.copytree(EXAMPLE, tmp_path / "project")
    run(SYNTHESISE, project, PYTHONPATH=str(laid_out(tmp_path / "library")))
    aws("s3").create_bucket(
        Bucket="acme-terraform-state", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    machines = Stack(project / "cdktf.out/stacks/machines", emulated.emulator.environment)
    machines.apply()
    assert not (changes := machines.unexpected_changes()), changes
    servers = [each for each in machines.state() if each["type"] == "aws_instance"]
    assert sorted(each["values"]["private_ip"] for each in servers) == ["10.8.10.10", "10.8.10.11", "10.8.11.10"], (
        servers
    )
