"""The recovery drill: `make drill`. A clinic works, is backed up, loses one patient's record and then everything.

Every step is a command that a person would type, on a temporary PostgreSQL. The first one that fails ends the drill.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List

from tests.postgres import cluster

ROOT = Path(__file__).resolve().parents[2]
RECORD = """
from clinic.models import *
from clinic.selectors.history import history
pet = Pet.objects.get(name="Moss")
known = history(pet)
print(pet.pk, len(known.visits), len(known.vaccinations), len(known.reminders), [v.plan for v in known.visits])
"""
LOSE = """
from django.db import connection
from clinic.models import Pet
pk = Pet.objects.get(name="Moss").pk
with connection.cursor() as cursor:
    for table in ("remindernotice WHERE reminder_id IN (SELECT id FROM clinic_reminder WHERE pet_id = %s)",
                  "reminder WHERE pet_id = %s", "vaccination WHERE pet_id = %s",
                  "prescription WHERE visit_id IN (SELECT id FROM clinic_visit WHERE pet_id = %s)",
                  "visitamendment WHERE visit_id IN (SELECT id FROM clinic_visit WHERE pet_id = %s)",
                  "visit WHERE pet_id = %s"):
        cursor.execute("DELETE FROM clinic_" + table, [pk])
print(pk)
"""
LATER = """
from audit.actor import Actor
from clinic.services.owners import create_owner
create_owner(Actor.system("drill"), {"last_name": "Afterwards"})
"""
COUNTS = """
import json
from django.apps import apps
names = ("accounts", "audit", "clinic", "exchange")
models = [model for name in names for model in apps.get_app_config(name).get_models()]
print(json.dumps({model._meta.label: model._base_manager.count() for model in models}))
"""
TRAIL = """
from audit.models import AuditEntry
print(AuditEntry.objects.filter(action="recover", actor="system:recover_record").count())
"""


class Failed(Exception):
    """A step did not do what it must."""


class Drill:
    """Runs management commands on one of the cluster's databases and tells each step."""

    def __init__(self, server: Dict[str, str], folder: Path) -> None:
        self.server, self.folder = server, folder
        self.database = ""

    def step(self, text: str) -> None:
        """Say what comes next."""
        print(f"  * {text}", flush=True)

    def use(self, database: str) -> None:
        """Make a database and work on it from now on."""
        if database not in self.databases():
            self._run(["createdb", database])
        self.database = database

    def databases(self) -> List[str]:
        """The databases there are."""
        return self._run(["psql", "-Atc", "SELECT datname FROM pg_database", "postgres"]).split()

    def manage(self, *arguments: str, fails: bool = False, typed: str = "") -> str:
        """Run a management command, with something on its input; returns what it printed."""
        return self._run([sys.executable, "manage.py", *arguments], fails=fails, typed=typed)

    def shell(self, code: str) -> str:
        """Run a few lines in the application; returns the last line printed."""
        lines = self.manage("shell", "--no-startup", "-c", code).strip().splitlines()
        return lines[-1] if lines else ""

    def _run(self, command: List[str], *, fails: bool = False, typed: str = "") -> str:
        clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "VET_ENV")}
        environment = {**clean, **self.server, "PGDATABASE": self.database or "postgres", "VAR_DIR": str(self.folder)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, input=typed
        )
        if bool(done.returncode) is not fails:
            raise Failed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout + (done.stderr if fails else "")


def expect(what: str, value: Any, wanted: Any) -> None:
    """Raise Failed unless they are the same."""
    if value != wanted:
        raise Failed(f"{what}: {value!r}, expected {wanted!r}")


def lose_a_record(drill: Drill, file: Path) -> None:
    """One patient's record is deleted by hand in the database, and comes back from the backup."""
    before = drill.shell(RECORD)
    drill.step("a record is lost: somebody deletes all visits and vaccinations of Moss in the database")
    pet = drill.shell(LOSE)
    drill.shell(LATER)
    drill.step("the backup is restored into a database beside the clinic's")
    drill.use("beside")
    drill.manage("restore", str(file))
    drill.use("clinic")
    expect("a database with tables is refused", "not empty" in drill.manage("restore", str(file), fails=True), True)
    compare = ("recover_record", pet, "--from", "postgresql:///beside")
    drill.step("dry run of recover_record, which changes nothing:")
    output = drill.manage(*compare)
    print("      " + output.strip().replace("\n", "\n      "))
    expect("the dry run names the visit", "missing  visit" in output, True)
    expect("the dry run changed nothing", drill.shell(RECORD).split()[1], "0")
    expect("a reason is needed", "reason" in drill.manage(*compare, "--apply", fails=True), True)
    drill.step("recover_record --apply --reason, the backup's address on its input")
    piped = ("recover_record", pet, "--from", "-")
    output = drill.manage(*piped, "--apply", "--reason", "deleted by hand", typed="postgresql:///beside\n")
    expect("the record is whole again", drill.shell(RECORD), before)
    rows = int(output.strip().splitlines()[-1].split()[1])
    expect("each row is in the audit trail", int(drill.shell(TRAIL)), rows)
    drill.use("empty")
    drill.use("clinic")
    refused = {"4711": "no pet number 4711", pet: "older release"}
    for number, why in refused.items():
        source = "postgresql:///empty" if number == pet else "postgresql:///beside"
        output = drill.manage("recover_record", number, "--from", source, fails=True)
        expect(f"it says what is wrong: {why}", (why in output, "Traceback" in output), (True, False))
    expect("a second run finds nothing", "nothing to recover" in drill.manage(*compare), True)


def lose_everything(drill: Drill) -> None:
    """The whole database is lost and comes back, and works."""
    drill.step("a second backup, then the database is lost and restored into a new one")
    file = drill.folder / "second.backup"
    drill.manage("backup", str(file))
    counts = json.loads(drill.shell(COUNTS))
    drill.use("restored")
    drill.manage("restore", str(file))
    expect("every table has its rows again", json.loads(drill.shell(COUNTS)), counts)
    drill.step(f"{sum(counts.values())} rows in {len(counts)} tables are back, the migrations too; people can work")
    drill.manage("migrate", "--check")
    drill.shell(LATER)


def run() -> None:
    """The drill; raises Failed."""
    with cluster() as server, tempfile.TemporaryDirectory(prefix="vet-drill-") as name:
        drill = Drill(server, Path(name))
        drill.step("a clinic on PostgreSQL, with a morning's work")
        drill.use("clinic")
        drill.manage("migrate_locked", "--verbosity", "0")
        drill.manage("demo")
        file = drill.folder / "first.backup"
        drill.step("backup: " + drill.manage("backup", str(file)).split("(")[1].rstrip(")\n"))
        lose_a_record(drill, file)
        lose_everything(drill)


if __name__ == "__main__":
    print("Recovery drill: backup, restore, one patient's record")
    try:
        run()
    except (Failed, RuntimeError) as problem:
        sys.exit(f"The drill failed. {problem}")
    print("The drill passed.")
