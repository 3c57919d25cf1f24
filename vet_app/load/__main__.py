"""Serve the demonstration clinic on PostgreSQL from one replica under the pod's limits, work with it, print figures.

Ends with 1 where a request was lost, the worker was restarted, or the memory passed what the pod may safely use. With
LOAD_VISITS it fills the clinic with so many visits instead, and prints how quick each daily page is.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

from clinic.demo.data import PASSWORD, USERS
from load import daily
from load.limits import Limits, children, pod, resident
from load.people import Outcome, Person, crowd
from tests.postgres import cluster
from tests.runtime.servers import Replica, manage, production, start, until

CPU, MEMORY, SAFE = 0.2, 256 * 2**20, 230 * 10**6
SECONDS = float(os.environ.get("LOAD_SECONDS", "45"))
VISITS = int(os.environ.get("LOAD_VISITS", "0"))
BUSY, STAFF, PAUSE = 4, 10, 4.0


def say(text: str) -> None:
    """A line of progress."""
    print(f"  {text}", flush=True)


def prepare(database: Dict[str, str], folder: Path) -> Dict[str, str]:
    """A migrated clinic with the demonstration's people and a morning of work; returns the replica's environment."""
    environment = production({**database, "API_PER_MINUTE": "100000"}, folder / "static")
    for local, command in ((True, "migrate_locked"), (True, "demo"), (False, "collectstatic")):
        changed = {**environment, "VET_ENV": "local" if local else "production", "VAR_DIR": str(folder)}
        done = manage(changed, command, *([] if local else ["--no-input"]))
        if done.returncode:
            sys.exit(done.stderr)
    return environment


def measure(environment: Dict[str, str], folder: Path, limits: Limits) -> bool:
    """Start, work, report; whether all went well."""
    begin = time.monotonic()
    replica = start(environment, folder, prefix=limits.prefix)
    try:
        until(replica.ready, "the replica must be ready")
        ready_after = time.monotonic() - begin
        worker = children(replica.process.pid)
        say(f"ready after {ready_after:.0f} s; {STAFF} people log in and look around")
        people = [Person(replica.port, USERS[0].username, PASSWORD) for _number in range(STAFF)]
        people[0].look_around()
        for person in people:
            person.links = people[0].links
        say(f"{BUSY} of them click without a pause for {SECONDS:.0f} s ({len(people[0].links)} pages, search, booking)")
        busy = crowd(people[:BUSY], SECONDS, 0)
        say(f"all {STAFF} work for {SECONDS:.0f} s, a click every {PAUSE:.0f} s or so")
        usual = crowd(people, SECONDS, PAUSE)
        return report(replica, limits, worker == children(replica.process.pid), busy, usual)
    finally:
        replica.process.kill()
        replica.process.wait()


def report(replica: Replica, limits: Limits, same_worker: bool, busy: Outcome, usual: Outcome) -> bool:
    """Print the figures; whether they are as they must be."""
    memory = limits.working_set() or resident(replica.process.pid)
    lost: List[str] = busy.lost + usual.lost

    def both(part: float) -> str:
        return f"{usual.percentile(part):.2f} s for {STAFF} people at work, {busy.percentile(part):.2f} s flat out"

    rows = {
        "limits": f"{limits.cpu} CPU and {limits.memory // 2**20} MiB by {limits.kind or 'nothing: NOT LIMITED'}",
        "pages per second": f"{busy.rate:.1f} ({BUSY} people without a pause)",
        "95th percentile": both(0.95),
        "median": both(0.5),
        "CPU": f"used up in {limits.throttled():.0%} of the periods",
        "requests": f"{len(busy.seconds) + len(usual.seconds)} answered, {len(lost)} lost",
        "restarts": "none" if same_worker and not limits.kills() else "the worker was replaced",
        "memory after the run": f"{memory / 10**6:.0f} MB (must stay below {SAFE / 10**6:.0f})",
    }
    print("\n" + "\n".join(f"  {name:<22}{text}" for name, text in rows.items()) + "\n")
    for word in sorted(set(lost))[:5]:
        say(f"lost: {word}")
    if not limits.kind:
        say("No cgroup could be written and there is no systemd session. Run it as root for figures of a pod.")
    return not lost and same_worker and not limits.kills() and memory < SAFE


def measure_daily(environment: Dict[str, str], folder: Path, limits: Limits) -> bool:
    """Fill the clinic, and time each daily page without limits and under the pod's; whether all are quick enough."""
    say(f"{VISITS:,} visits and what belongs to them ...")
    pages = daily.fill(environment, folder, VISITS)
    say(f"{len(pages)} pages, {daily.TIMES} times each")
    free = daily.seconds(environment, folder, pages, Limits(CPU, MEMORY))
    return daily.report(VISITS, free, daily.seconds(environment, folder, pages, limits), limits.kind)


def main() -> int:
    """The exit code."""
    work = measure_daily if VISITS else measure
    limits = pod(CPU, MEMORY)
    try:
        with cluster() as database, tempfile.TemporaryDirectory(prefix="vet-load-") as name:
            say(f"a demonstration clinic on PostgreSQL; Python {sys.version.split()[0]}")
            environment = prepare(database, Path(name))
            return 0 if work(environment, Path(name), limits) else 1
    except RuntimeError as problem:
        sys.exit(str(problem))
    finally:
        limits.remove()


if __name__ == "__main__":
    sys.exit(main())
