"""Checkov on the synthesised JSON of every stack: ``python -m tests.policy.check``.

A check may fail only for a resource that ``accepted.yaml`` names with a reason; a reason that nothing needs any more fails too. Reasons are
for kinds of resources in every environment: what is judged is the repository's environments and, beside them, sound ones that stand still,
a third, and one with everything on. So a setting that a team changes can neither meet a check that nobody thought of nor make a reason idle.
The same JSON is judged once: the digest of what was found good is kept beside Checkov.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass as checked

import main
from settings import load
from tests import everything

HERE = Path(__file__).parent
ACCEPTED = HERE / "accepted.yaml"
TOOL = Path(".tools/checkov")
"""Checkov's own environment, made from the lock in this folder."""

GOOD = TOOL / "good"


@dataclass(frozen=True, order=True)
class Failed:
    """A check that a resource does not pass.

    :param resource: path in the construct tree, such as ``vet-dev/network/vpc``.
    """

    check: str
    name: str
    resource: str


@checked(frozen=True, config={"extra": "forbid"})
class Accepted:
    """Why a check may fail for some resources, by patterns of their paths in which ``*`` stands for anything."""

    check: str
    resources: tuple[str, ...]
    reason: str

    def covers(self, failed: Failed, pattern: str) -> bool:
        """Whether this reason and this of its patterns speak of a failure."""
        return self.check == failed.check and fnmatchcase(failed.resource, pattern)


def accepted() -> list[Accepted]:
    """What ``accepted.yaml`` says."""
    return TypeAdapter(list[Accepted]).validate_python(yaml.safe_load(ACCEPTED.read_text()))


def judge(failures: Iterable[Failed], reasons: Iterable[Accepted], file: Path = ACCEPTED) -> list[str]:
    """Everything that is wrong, a line each: failures without a reason, and patterns of the file that no failure needs."""
    failures, reasons = sorted(set(failures)), list(reasons)
    idle = [
        f"{file.name}: {reason.check} for {pattern} excuses nothing; take it out"
        for reason in reasons
        for pattern in reason.resources
        if not any(reason.covers(failed, pattern) for failed in failures)
    ]
    return [*without_reason(failures, reasons), *idle]


def without_reason(failures: Iterable[Failed], reasons: Iterable[Accepted]) -> list[str]:
    """Failures that no reason covers, a line each."""
    patterns = [(reason, pattern) for reason in reasons for pattern in reason.resources]
    return [
        f"{failed.resource} fails {failed.check}: {failed.name}"
        for failed in sorted(set(failures))
        if not any(reason.covers(failed, pattern) for reason, pattern in patterns)
    ]


REFERENCE = Path(__file__).parents[1] / "unit/settings/valid"
"""Environments that stand still."""


def synthesise(folder: Path) -> dict[Path, dict[str, str]]:
    """Write all stacks that are judged below ``folder``.

    :return: path in the construct tree by file, relative to ``folder``, and resource name.
    """
    protected = everything.write(folder / "protected", REFERENCE, access=everything.ACCESS)
    with (protected / "_project.yaml").open("a") as file:
        file.write("replica_region: us-west-2\n")
    text = (protected / "full.yaml").read_text()
    (protected / "guarded.yaml").write_text(
        text.replace("deletion_protection: false", "deletion_protection: true").replace(".full.", ".guarded.")
    )
    paths = {}
    for name, settings in {"own": load(), "reference": load(protected)}.items():
        main.build_app(settings, outdir=str(folder / f"out-{name}")).synth()
        paths.update(copies(folder / f"out-{name}", folder / "stacks" / name))
    return paths


def copies(synthesised: Path, folder: Path) -> dict[Path, dict[str, str]]:
    """Copy each stack without its ``terraform`` block, which Checkov cannot read; no check is about it.

    :return: path in the construct tree by the copy's folder (the last two names) and resource name.
    """
    paths: dict[Path, dict[str, str]] = {}
    for file in sorted(synthesised.glob("stacks/*/cdk.tf.json")):
        document = json.loads(file.read_text())
        del document["terraform"]
        stack = folder / file.parent.name
        stack.mkdir(parents=True)
        (stack / file.name).write_text(json.dumps(document, indent=1))
        blocks = [block for kind in ("resource", "data") for block in document.get(kind, {}).values()]
        for name, resource in (item for block in blocks for item in block.items()):
            metadata = resource.get("//", {}).get("metadata", {"path": f"{stack.name}/{name}"})  # remote state has none
            paths.setdefault(_key(stack), {})[name] = metadata["path"].removesuffix("/Resource")
    return paths


def _key(stack: Path) -> Path:
    return Path(*stack.parts[-2:])


def run_checkov(folder: Path, paths: dict[Path, dict[str, str]]) -> Iterator[Failed]:
    """What fails in the stacks below ``folder``.

    Raises:
        SystemExit: Checkov did not judge every stack; with its own words.
    """
    command = [
        str(TOOL / "bin/checkov"),
        "-d",
        str(folder),
        "--framework",
        "terraform_json",
        "--skip-download",
        "-o",
        "json",
    ]
    answer = subprocess.run([*command, "--compact", "--quiet"], capture_output=True, text=True)
    try:
        report = json.loads(answer.stdout)
        read, unread = report["summary"]["passed"], report["summary"]["parsing_errors"]
    except (json.JSONDecodeError, KeyError, TypeError):
        sys.exit(f"Checkov ended without a report:\n{answer.stdout[-500:]}{answer.stderr[-2000:]}")
    if unread or not read:
        sys.exit(f"Checkov could not read {unread} stacks and passed {read} checks:\n{answer.stderr[-2000:]}")
    for each in report["results"]["failed_checks"]:
        stack = _key(Path(each["file_path"]).parent)
        name = each["resource"].split(".")[-1]
        yield Failed(each["check_id"], each["check_name"], paths[stack][name])


def digest(folder: Path) -> str:
    """Of all that decides: the stacks, the reasons, this program and the lock."""
    files = [*sorted(folder.rglob("*.json")), ACCEPTED, Path(__file__), HERE / "Pipfile.lock"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def run() -> int:
    """Judge; 0 if nothing is wrong."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = synthesise(folder)
        mark = digest(folder / "stacks")
        if GOOD.exists() and GOOD.read_text() == mark:
            print("checkov: the stacks are as they were when they passed")
            return 0
        reasons = accepted()
        failures = list(run_checkov(folder / "stacks", paths))
    wrong = judge(failures, reasons)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        print(f"Change the construct, or write the reason into {ACCEPTED.relative_to(Path.cwd())}.", file=sys.stderr)
        return 1
    GOOD.write_text(mark)
    print(
        f"checkov: {len(failures)} failures, each with a reason in {ACCEPTED.name} ({time.monotonic() - start:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(run())
