"""What a migration from an older release costs a clinic at work: `LOAD_VISITS=20000 python -m load.migrating`.

Fills a clinic of this release, takes its tables back to those of BEFORE, and then forward again as a rollout does,
while people read and write. Prints how long both took, and how long anybody waited at most for each table.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Dict, List

import psycopg

from load import daily
from load.__main__ import prepare, say
from tests.postgres import cluster
from tests.runtime.servers import manage

BEFORE = {"clinic": "0005", "accounts": "0002", "audit": "0002", "exchange": "0001"}
"""The last migration of each part in the release that a clinic comes from."""
VISITS = int(os.environ.get("LOAD_VISITS", "20000"))
TABLES = ("clinic_owner", "clinic_pet", "clinic_visit", "clinic_appointment", "clinic_invoice", "clinic_payment",
          "clinic_vaccination", "accounts_user", "audit_auditentry")  # fmt: skip
PAUSE = 0.01


class Clinic(threading.Thread):
    """Somebody who reads a table all the time, and writes a row of it, which changes nothing."""

    def __init__(self, table: str) -> None:
        super().__init__(daemon=True)
        self.table, self.longest, self.over = table, 0.0, threading.Event()

    def run(self) -> None:
        """Ask until it is over."""
        questions = [f"SELECT id FROM {self.table} ORDER BY id LIMIT 1"]  # noqa: S608 -- a table of ours
        if self.table != "audit_auditentry":  # which nobody may change
            one = f"id = (SELECT min(id) FROM {self.table})"  # noqa: S608
            questions.append(f"UPDATE {self.table} SET id = id WHERE {one}")  # noqa: S608
        with psycopg.connect(autocommit=True) as connection:
            while not self.over.is_set():
                for question in questions:
                    begin = time.monotonic()
                    connection.execute(question)
                    self.longest = max(self.longest, time.monotonic() - begin)
                time.sleep(PAUSE)


def migrate(environment: Dict[str, str], *arguments: str) -> float:
    """Run a command of migrations and give its seconds; ends with its message where it fails."""
    begin = time.monotonic()
    done = manage(environment, *arguments)
    if done.returncode:
        sys.exit(done.stderr)
    return time.monotonic() - begin


def main() -> None:
    """Fill, go back, go forward, and say what it took."""
    with cluster() as database, tempfile.TemporaryDirectory(prefix="vet-load-") as name:
        os.environ.update(database)
        local = {**prepare(database, Path(name)), "VET_ENV": "local", "VAR_DIR": name}
        say(f"{VISITS:,} visits and what belongs to them ...")
        daily.fill(local, Path(name), VISITS)
        back = sum(migrate(local, "migrate", app, migration, "--verbosity", "0") for app, migration in BEFORE.items())
        people: List[Clinic] = [Clinic(table) for table in TABLES]
        for person in people:
            person.start()
        forward = migrate(local, "migrate_locked", "--verbosity", "0")
        for person in people:
            person.over.set()
            person.join()
    say(f"back to {', '.join(' '.join(each) for each in BEFORE.items())}: {back:.1f} s; forward again: {forward:.1f} s")
    for person in sorted(people, key=lambda each: -each.longest):
        say(f"{person.table:<22} waited at most {person.longest * 1000:>6.0f} ms")


if __name__ == "__main__":
    main()
