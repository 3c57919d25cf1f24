"""``make lint``: AWS's constraints on the shipped stacks and on an environment with everything on, in both release sets.

Three questions: do the checked-in models say what AWS publishes, does AWS take every attribute, does IAM know every action. The first and
the last are answered by packages that live beside Checkov.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import main
from settings.release_sets import SETS
from tests.everything import everything
from tests.policy import aws
from tests.policy.check import TOOL

PYTHON = TOOL / "bin/python"


def run() -> int:
    """Judge; 0 if nothing is wrong. What is wrong is printed, a line each."""
    start = time.monotonic()
    failed = subprocess.run([PYTHON, "-m", "tests.policy.aws_models", "--check"]).returncode != 0
    looked_at = 0
    for release_set in SETS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            settings = everything(folder, name="longest-name", cluster={"release_set": release_set})
            main.build_app(settings, outdir=str(folder / "out")).synth()
            documents = aws.read(sorted((folder / "out/stacks").iterdir()))
            wrong = aws.judge(documents)
            print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
            policies = subprocess.run([PYTHON, "-m", "tests.policy.iam", str(folder / "out/stacks")]).returncode
            failed = failed or bool(wrong) or policies != 0
            looked_at += len(list(aws.attributes(documents)))
    if not failed:
        print(f"aws: {looked_at} attributes are as AWS takes them ({time.monotonic() - start:.0f} s)")
    return int(failed)


if __name__ == "__main__":
    sys.exit(run())
