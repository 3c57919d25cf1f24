"""What the tests of the library share: its files as the wheel has them, programs that use it, and the code in its page."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/library.md"
EXAMPLE = ROOT / "examples/cluster"


def backend() -> ModuleType:
    """The build backend, which is a script."""
    spec = importlib.util.spec_from_file_location("build_library", ROOT / "scripts/build_library.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def laid_out(folder: Path) -> Path:
    """Write the library into a folder; returns the folder."""
    backend().lay_out(folder)
    return folder


def run(program: str, folder: Path, python: str | Path = sys.executable, **variables: str) -> str:
    """What a program prints that runs in a folder outside of the repository.

    Raises:
        AssertionError: it ends with an error.
    """
    clean = {name: value for name, value in os.environ.items() if name not in ("JSII_NODE", "PYTHONPATH", "VET_CDK")}
    done = subprocess.run(
        [str(python), "-c", program],
        cwd=folder,
        env={**clean, "XDG_CACHE_HOME": str(ROOT / ".cache"), **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def page() -> str:
    """The Python code of the page, one program."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 2, f"{PAGE} has {len(blocks)} blocks of code"
    return "\n".join(blocks)


def stacks(folder: Path) -> dict[str, dict[str, Any]]:
    """The documents that a project has written, by stack."""
    return {
        path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("cdktf.out/stacks/*/cdk.tf.json"))
    }


def expect_a_cluster(documents: dict[str, dict[str, Any]]) -> None:
    """Raise an AssertionError unless the example's stacks have what its settings ask for."""
    assert documents.keys() == {"machines", "management"}
    resources = documents["machines"]["resource"]
    assert len(resources["aws_instance"]) == 3, resources["aws_instance"].keys()
    assert {each["tags"]["Name"] for each in resources["aws_instance"].values()} == {
        f"acme-lab-server-{slot}" for slot in range(3)
    }
    assert documents["machines"]["terraform"]["backend"]["s3"]["bucket"] == "acme-terraform-state"
    releases = {each["name"]: each for each in documents["management"]["resource"]["helm_release"].values()}
    assert json.loads(releases["rancher"]["values"][0])["auditLog"]["level"] == 2, "its own values do not reach Rancher"
    read = documents["management"]["data"]["terraform_remote_state"]
    assert [each["config"]["key"] for each in read.values()] == ["machines/terraform.tfstate"]
