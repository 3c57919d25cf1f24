"""A step of a migration that only PostgreSQL takes."""

from __future__ import annotations

from typing import Any, Callable

from django.db import migrations


def on_postgresql(forward: str, backward: str) -> migrations.RunPython:
    """Run SQL, and other SQL to take it back; other databases skip both."""

    def step(sql: str) -> Callable[[Any, Any], None]:
        def run(_apps: Any, schema_editor: Any) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(sql)

        return run

    return migrations.RunPython(step(forward), step(backward))
