"""How quick the pages of every day are in a practice of many years, one click after another."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Dict, List

from clinic.demo.data import PASSWORD, USERS
from load.limits import Limits
from load.people import Outcome, Person
from tests.runtime.servers import manage, start, until

WARM, TIMES = 3, 40
MANAGER = next(user.username for user in USERS if user.role == "manager")
MOST = 0.250
"""Seconds within which 95 of 100 answers of each page come, where nothing limits the server."""


def fill(environment: Dict[str, str], folder: Path, visits: int) -> Dict[str, str]:
    """Add a practice's years to the demonstration clinic; the addresses of its daily pages by name."""
    work = f"import json; from load.practice import fill; print(json.dumps(fill({visits})))"
    done = manage({**environment, "VET_ENV": "local", "VAR_DIR": str(folder)}, "shell", "-c", work)
    if done.returncode:
        sys.exit(done.stderr)
    result: Dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return result


def seconds(environment: Dict[str, str], folder: Path, pages: Dict[str, str], limits: Limits) -> Dict[str, float]:
    """The 95th percentile of each page from a replica of its own."""
    replica = start(environment, folder, prefix=limits.prefix)
    try:
        until(replica.ready, "the replica must be ready")
        manager = Person(replica.port, MANAGER, PASSWORD)
        return {name: _of_page(manager, address) for name, address in pages.items()}
    finally:
        replica.process.kill()
        replica.process.wait()


def _of_page(person: Person, address: str) -> float:
    took: List[float] = []
    for _number in range(WARM + TIMES):
        begin = time.monotonic()
        person.ask("GET", address)
        took.append(time.monotonic() - begin)
    return Outcome(took[WARM:]).percentile(0.95)


def report(visits: int, free: Dict[str, float], limited: Dict[str, float], kind: str) -> bool:
    """Print both beside each other; whether each page is quick enough where nothing limits it."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"\n  95th percentile with {visits:,} visits, in ms (load of the machine {load})\n")
    print(f"  {'page':<24}{'no limit':>10}{'pod: ' + (kind or 'NOT LIMITED'):>20}")
    for name, took in free.items():
        print(f"  {name:<24}{took * 1000:>10.0f}{limited[name] * 1000:>20.0f}")
    slow = [name for name, took in free.items() if took > MOST]
    if slow:
        print(f"\n  above {MOST * 1000:.0f} ms: {', '.join(slow)}")
    return not slow
