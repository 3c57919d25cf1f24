"""manage.py recover_record: one patient's record from a backup."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from audit.actor import Actor
from clinic.models import Pet
from exchange.recovery import BACKUP, compare, recover
from vetclinic.databases import of_url


class Command(BaseCommand):
    """Restore the backup into a database of its own first (`manage.py restore`, or the cluster's recovery)."""

    help = "Compare one pet's record with a restored backup, and with --apply put back what is missing. Audited."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which pet, from where, and what to do."""
        parser.add_argument("pet", type=int, help="the pet's number, as in the address of its page")
        parser.add_argument(
            "--from", dest="source", required=True, metavar="URL", help="the backup's database; - reads it from input"
        )
        parser.add_argument("--apply", action="store_true", help="put back what is missing (otherwise only say it)")
        parser.add_argument("--changed", action="store_true", help="also set changed rows back to their old values")
        parser.add_argument("--reason", default="", help="why, for the audit trail; needed with --apply")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what differs, and put it back."""
        # A password is no argument: arguments stand in lists of processes and in the cluster's audit log.
        source = options["source"]
        self._open(sys.stdin.readline().strip() if source == "-" else source)
        try:
            if options["apply"]:
                findings = recover(
                    Actor.system("recover_record"), options["pet"], options["reason"], changed=options["changed"]
                )
            else:
                findings = compare(options["pet"])
        except Pet.DoesNotExist as problem:
            raise CommandError(f"The backup has no pet number {options['pet']}.") from problem
        except ValidationError as problem:
            raise CommandError("Nothing was changed.\n" + "\n".join(problem.messages)) from problem
        finally:
            connections[BACKUP].close()
        for finding in findings:
            self.stdout.write(str(finding))
        if not findings:
            self.stdout.write("The record is as it is in the backup; there is nothing to recover.")
        elif options["apply"]:
            self.stdout.write(f"Recovered: {len(findings)} rows.")
        else:
            missing = sum(finding.missing for finding in findings)
            self.stdout.write(
                f"Nothing was changed. Missing: {missing}, changed since the backup: {len(findings) - missing}."
                ' To put back what is missing, add --apply --reason "..."; --changed sets the rest back as well.'
            )

    def _open(self, url: str) -> None:
        """Connect to the backup and refuse one whose tables are not those of this release."""
        try:
            connections.databases[BACKUP] = connections.configure_settings({"default": {}, BACKUP: of_url(url)})[BACKUP]
            executor = MigrationExecutor(connections[BACKUP])
            behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except (ImproperlyConfigured, DatabaseError) as problem:
            raise CommandError(f"The backup's database cannot be read: {problem}") from problem
        if behind:
            raise CommandError(
                "The backup is of an older release. Migrate it first: DATABASE_URL=... manage.py migrate_locked"
            )
