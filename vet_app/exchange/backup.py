"""The whole database to a file and back: PostgreSQL by its own tools, SQLite by its own copy."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection

TOOLS_MISSING = (
    "{tool} was not found. The container's image does not have it: run this where PostgreSQL's client programs are and"
    " the database can be reached (on Debian or Ubuntu: apt-get install postgresql-client). In a cluster the database"
    " operator makes the backups."
)
SQLITE_MARK, POSTGRESQL_MARK = b"SQLite format 3\x00", b"PGDMP"


class BackupError(Exception):
    """Why there is no backup, or no restored database; a sentence for people."""


class Fingerprint(NamedTuple):
    """What a table holds: how many rows, and a digest of them."""

    rows: int
    sha256: str


def dump(file: Path) -> Dict[str, Fingerprint]:
    """Write the database to a new file. What was written is read back before it counts.

    Of SQLite, where the copy has been compared with the database, the tables by name; of PostgreSQL, whose own tools
    answer for what they write, nothing. Raises BackupError.
    """
    if file.exists():
        raise BackupError(f"{file} exists already; name a new file.")
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    prints: Dict[str, Fingerprint] = {}
    try:
        unfinished.touch(mode=0o600)
        if _is_sqlite():
            prints = _copy_sqlite(Path(str(_database()["NAME"])), unfinished)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--file", str(unfinished))
            _run("pg_restore", "--list", str(unfinished))
        unfinished.rename(file)
    except OSError as problem:
        raise BackupError(f"{file} cannot be written: {problem.strerror}.") from problem
    finally:
        unfinished.unlink(missing_ok=True)
    return prints


def fingerprints(database: sqlite3.Connection) -> Dict[str, Fingerprint]:
    """The number of rows of each table and a digest of all that they hold, in the order of their keys."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    prints = {}
    for table in tables:
        digest, rows = hashlib.sha256(), 0
        for row in database.execute(f'SELECT * FROM "{table}" ORDER BY rowid'):  # noqa: S608 -- a name of this database
            digest.update(repr(row).encode())
            rows += 1
        prints[table] = Fingerprint(rows, digest.hexdigest())
    return prints


def _copy_sqlite(source_file: Path, target: Path) -> Dict[str, Fingerprint]:
    """Copy and compare within one reading transaction, so that what people write meanwhile is in neither."""
    if not source_file.is_file():
        raise BackupError(f"{source_file} is not there, so there is nothing to keep. Name it by DATABASE_URL.")
    damaged = f"{source_file} is damaged and was not copied: {{}}. Restore the last backup that is whole."
    with closing(_open(source_file)) as source, closing(_open(target)) as copy:
        try:
            source.execute("BEGIN")
            _check(source)
            source.backup(copy)
            _check(copy)
            prints = fingerprints(source)
            copied = fingerprints(copy)
        except sqlite3.DatabaseError as problem:
            raise BackupError(damaged.format(problem)) from problem
    different = sorted(name for name in {*prints, *copied} if prints.get(name) != copied.get(name))
    if different:
        raise BackupError(f"The copy of {source_file} differs from it in: {', '.join(different)}. It was not kept.")
    return prints


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(str(file), isolation_level=None)


def _check(database: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError with what SQLite finds wrong in the file."""
    complaints = [text for (text,) in database.execute("PRAGMA integrity_check(3)")]
    if complaints != ["ok"]:
        raise sqlite3.DatabaseError("; ".join(" ".join(text.split()) for text in complaints))


def restore(file: Path) -> None:
    """Fill an empty database from a file; refuses one that has tables, so that no clinic is overwritten."""
    if not file.is_file():
        raise BackupError(f"{file} is not there.")
    _refuse_what_is_no_backup(file)
    if _is_sqlite():
        target = Path(str(_database()["NAME"]))
        if target.exists():
            raise BackupError(f"{target} exists already; restore into a new file: DATABASE_URL=sqlite:///{target}.new")
        shutil.copyfile(file, target)
        return
    if _tables():
        raise BackupError(f"The database {_database()['NAME']} is not empty; restore into a new one beside it.")
    _run("pg_restore", "--exit-on-error", "--no-owner", "--dbname", str(_database()["NAME"]), str(file))


def _refuse_what_is_no_backup(file: Path) -> None:
    mark = SQLITE_MARK if _is_sqlite() else POSTGRESQL_MARK
    kind = "SQLite" if _is_sqlite() else "PostgreSQL"
    with file.open("rb") as opened:
        if opened.read(len(mark)) != mark:
            raise BackupError(f"{file} is no backup of {kind}; name a file that `manage.py backup` has written.")
    if not _is_sqlite():
        return
    try:
        with closing(_open(file)) as backup:
            _check(backup)
    except sqlite3.DatabaseError as problem:
        raise BackupError(f"{file} is no backup that is whole: {problem}. Take another one.") from problem


def _tables() -> List[str]:
    try:
        with connection.cursor() as cursor:
            return list(connection.introspection.table_names(cursor))
    except DatabaseError as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise BackupError(
            f"The database {_database()['NAME']} cannot be opened: {reason}. Create an empty one first (createdb)."
        ) from problem


def _database() -> Dict[str, Any]:
    return settings.DATABASES["default"]


def _is_sqlite() -> bool:
    return str(_database()["ENGINE"]).endswith("sqlite")


def _run(tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools on the clinic's database; the password goes by the environment."""
    if shutil.which(tool) is None:
        raise BackupError(TOOLS_MISSING.format(tool=tool))
    database = _database()
    names = {"PGDATABASE": "NAME", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGHOST": "HOST", "PGPORT": "PORT"}
    environment = {
        **os.environ,
        **{variable: str(database[name]) for variable, name in names.items() if database[name]},
    }
    done = subprocess.run([tool, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupError(f"{tool}: {done.stderr.strip()}")
