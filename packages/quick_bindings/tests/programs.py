"""Programs in a Python of their own: optimizations act on a whole process."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ABOVE = Path(__file__).parents[3]
"""The folder from which the package is imported."""

ENABLE = """
from pathlib import Path
from packages.quick_bindings import Packages, enable
enable(Packages("cdktf", ("cdktf_cdktf_provider_aws", "cdktf_cdktf_provider_kubernetes")), START keep=Path("KEEP"), hint="(A hint.)")
"""

STACK = """
from cdktf import App, Aspects, IAspect, TerraformStack
import jsii
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
app = App(outdir="OUT")
stack = TerraformStack(app, "stack")
AwsProvider(stack, "aws")
"""

KEPT = ABOVE / ".cache/quick_bindings"
"""What runs keep for each other, where a test does not need a folder of its own."""

UNSET = ("JSII_NODE", "NODE_OPTIONS", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS", "QUICK_BINDINGS_WITHOUT")


def python(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program."""
    inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ABOVE, env={**inherited, **variables}, capture_output=True, text=True)


def enabled(*, start: bool = False, keep: Path = KEPT) -> str:
    """The lines that enable the optimizations."""
    return ENABLE.replace("START", "start=True," if start else "").replace("KEEP", str(keep))


def on_a_stack(program: str, out: Path, keep: Path = KEPT, first: str = "", **variables: str) -> tuple[str, str]:
    """What a program on an empty stack says to standard output, and to standard error.

    :param first: what is done before the optimizations are enabled.
    """
    done = python(first + enabled(start=True, keep=keep) + STACK.replace("OUT", str(out)) + program, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def digests(folder: Path) -> dict[str, str]:
    """Checksums of files, by path."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files, f"nothing was written to {folder}"
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}
