"""``make lint-switches``: dev with each switch alone, by Checkov and by AWS's own models.

``make lint`` judges the shipped environments, a third one, and one with everything on. A team switches one thing on at a time; what only the
rest of everything excuses would meet it there. Minutes, so it is not part of ``make lint``. A reason that nothing needs is not wrong here.
"""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import main
from settings import load
from tests.changes import one_environment
from tests.everything import switches
from tests.policy import aws
from tests.policy.check import Failed, accepted, copies, run_checkov, without_reason

BETWEEN = " in "
"""Between a switch and a resource's path while Checkov's failures are collected."""


def run() -> int:
    """Judge; 0 if nothing is wrong. What is wrong is printed, a line each, with the switch in front."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths: dict[Path, dict[str, str]] = {}
        wrong: list[str] = []
        for name, (environment, project) in switches().items():
            own = folder / name.replace(": ", "-")
            main.build_app(load(one_environment(own, environment, project)), outdir=str(own / "out")).synth()
            wrong += [f"{name}: {line}" for line in aws.judge(aws.read(sorted((own / "out/stacks").iterdir())))]
            for stack, resources in copies(own / "out", folder / "stacks" / own.name).items():
                paths[stack] = {resource: f"{name}{BETWEEN}{path}" for resource, path in resources.items()}
        wrong += _without_reason(run_checkov(folder / "stacks", paths))
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    if not wrong:
        print(f"{len(switches())} switches, each alone: nothing without a reason ({time.monotonic() - start:.0f} s)")
    return int(bool(wrong))


def _without_reason(failures: Iterable[Failed]) -> Iterator[str]:
    by_switch: dict[str, list[Failed]] = {}
    for failed in failures:
        name, _, resource = failed.resource.partition(BETWEEN)
        by_switch.setdefault(name, []).append(replace(failed, resource=resource))
    for name, group in by_switch.items():
        yield from (f"{name}: {line}" for line in without_reason(group, accepted()))


if __name__ == "__main__":
    sys.exit(run())
