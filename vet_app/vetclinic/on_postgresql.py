"""What only PostgreSQL needs: a step of a migration, and a lock that no row stands for."""

from __future__ import annotations

from typing import Any, Callable

from django.db import connection, migrations


def on_postgresql(forward: str, backward: str) -> migrations.RunPython:
    """Run SQL, and other SQL to take it back; other databases skip both."""

    def step(sql: str) -> Callable[[Any, Any], None]:
        def run(_apps: Any, schema_editor: Any) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(sql)

        return run

    return migrations.RunPython(step(forward), step(backward))


def defaults_for_the_old_release(table: str, **defaults: str) -> migrations.RunPython:
    """Have PostgreSQL fill new columns of a table, each with its default in SQL, for the release before this one.

    That release still runs during a rollout and does not know the columns. Nothing is rewritten.
    """
    return on_postgresql(
        "".join(f'ALTER TABLE {table} ALTER "{name}" SET DEFAULT {default};' for name, default in defaults.items()),
        "".join(f'ALTER TABLE {table} ALTER "{name}" DROP DEFAULT;' for name in defaults),
    )


def one_at_a_time(name: str) -> None:
    """Wait until no other transaction has asked for this name; ours has it until it ends.

    On SQLite every transaction that writes waits for the others already (`vetclinic.sqlite.base`).
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
