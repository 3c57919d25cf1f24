"""The whole database to a file and back: PostgreSQL by its own tools, SQLite by its own copy."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, Dict, List

from django.conf import settings

TOOLS_MISSING = "{tool} was not found. On Debian or Ubuntu: apt-get install postgresql-client"


class BackupError(Exception):
    """Why there is no backup, or no restored database; a sentence for people."""


def dump(file: Path) -> None:
    """Write the database to a new file. What was written is read back before it counts."""
    if file.exists():
        raise BackupError(f"{file} exists already; name a new file.")
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    if _is_sqlite():
        with closing(sqlite3.connect(_database()["NAME"])) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA quick_check")
    else:
        _run("pg_dump", "--format=custom", "--no-owner", "--file", str(unfinished))
        _run("pg_restore", "--list", str(unfinished))
    unfinished.chmod(0o600)
    unfinished.rename(file)


def restore(file: Path) -> None:
    """Fill an empty database from a file; refuses one that has tables, so that no clinic is overwritten."""
    if not file.is_file():
        raise BackupError(f"{file} is not there.")
    if _is_sqlite():
        target = Path(str(_database()["NAME"]))
        if target.exists():
            raise BackupError(f"{target} exists already; restore into a new file: DATABASE_URL=sqlite:///{target}.new")
        shutil.copyfile(file, target)
        return
    if _tables():
        raise BackupError(f"The database {_database()['NAME']} is not empty; restore into a new one beside it.")
    _run("pg_restore", "--exit-on-error", "--no-owner", "--dbname", str(_database()["NAME"]), str(file))


def _tables() -> List[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        return list(connection.introspection.table_names(cursor))


def _database() -> Dict[str, Any]:
    return settings.DATABASES["default"]


def _is_sqlite() -> bool:
    return str(_database()["ENGINE"]).endswith("sqlite")


def _run(tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools on the clinic's database; the password goes by the environment."""
    if shutil.which(tool) is None:
        raise BackupError(TOOLS_MISSING.format(tool=tool))
    given = _database()
    names = {"PGDATABASE": "NAME", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGHOST": "HOST", "PGPORT": "PORT"}
    environment = {**os.environ, **{variable: str(given[name]) for variable, name in names.items() if given[name]}}
    done = subprocess.run([tool, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupError(f"{tool}: {done.stderr.strip()}")
