"""detect-secrets on every file that Git knows: ``python -m tests.policy.secrets``.

It looks for the forms of real credentials: keys of AWS, private keys, tokens of GitHub, Slack, npm and so on, names and passwords in
addresses. Its three guesses are off, because they speak of a quarter of all files here and would be excused by habit: "secret" or "password" as
a word (a platform is full of names of secrets), and texts that look random (digests of charts, images and downloads). What is made at random is
looked for where it could end up: in the JSON (tests/unit/stacks/test_invariants.py), in user data (tests/unit/nodes/test_user_data.py), in logs
and arguments (tests/boot/test_aws_failures.py). An exception is in ``secrets.yaml``, with its reason.

The tool is Checkov's own dependency, in Checkov's environment.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from tests.policy.check import TOOL, Accepted, Failed, judge

ACCEPTED = Path(__file__).with_name("secrets.yaml")
GOOD = TOOL / "good-files"
"""Digests of files that were found good, so that a change of one file is judged in seconds."""

GUESSES = ("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector")


def files(root: Path = Path()) -> dict[str, str]:
    """Digest of each file that Git knows, or would by the next commit."""
    known = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(known, capture_output=True, text=True, check=True).stdout.split("\0")
    return {
        name: hashlib.sha256((root / name).read_bytes()).hexdigest()
        for name in names
        if name and (root / name).is_file()
    }


def credentials(names: Iterable[str], root: Path = Path()) -> Iterator[Failed]:
    """What looks like a credential in these files.

    Raises:
        SystemExit: the tool has failed; with its own words.
    """
    command = [str(TOOL.resolve() / "bin/detect-secrets"), "scan", "--no-verify"]
    command += [part for guess in GUESSES for part in ("--disable-plugin", guess)]
    answer = subprocess.run([*command, *names], cwd=root, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"detect-secrets ended with {answer.returncode}:\n{answer.stderr}")
    for file, secrets in json.loads(answer.stdout)["results"].items():
        for secret in secrets:
            yield Failed(secret["type"], f"line {secret['line_number']} of {file}", file)


def run() -> int:
    """Say what was found without a reason, and which reasons excuse nothing."""
    reasons = TypeAdapter(list[Accepted]).validate_python(yaml.safe_load(ACCEPTED.read_text()))
    excused = {pattern for reason in reasons for pattern in reason.resources}
    now = files()
    good = set(GOOD.read_text().split()) if GOOD.exists() else set()
    looked_at = [name for name, digest in now.items() if digest not in good or name in excused]
    failures = list(credentials(looked_at)) if looked_at else []
    wrong = judge(failures, reasons, ACCEPTED)
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print(
            "A credential that was committed is known to everybody: make a new one first, then take it out.\n"
            f"What only looks like one belongs into {ACCEPTED.relative_to(Path.cwd())}, with its reason.",
            file=sys.stderr,
        )
        return 1
    GOOD.write_text("\n".join(sorted(set(now.values()))))
    print(f"detect-secrets: {len(now)} files hold no credentials; {len(looked_at)} were looked at")
    return 0


if __name__ == "__main__":
    sys.exit(run())
