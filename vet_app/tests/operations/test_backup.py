"""What `backup` and `restore` refuse: a damaged database, one that is not there, and a file that is no backup."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from exchange.backup import fingerprints
from tests.runtime.servers import ROOT

PAGE = 4096


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database in a file of its own, big enough that its table and its index have several pages."""
    if connection.vendor != "sqlite":
        pytest.skip("the drill does this on PostgreSQL")
    file = tmp_path / "clinic.sqlite3"
    with closing(sqlite3.connect(file)) as clinic:
        clinic.execute("CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT)")
        clinic.executemany("INSERT INTO pet (name) VALUES (?)", [(f"Biscuit {number:05}",) for number in range(2000)])
        clinic.execute("CREATE INDEX pet_name ON pet (name)")
        clinic.commit()
    # The tests' own connection stays as it is: only these commands look at the file.
    monkeypatch.setitem(settings.DATABASES, "default", {"ENGINE": "vetclinic.sqlite", "NAME": str(file)})
    return file


def damage(file: Path, at: int, byte: int = 0xFF) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= byte
    file.write_bytes(bytes(content))


def test_a_backup_holds_every_row(database: Path, tmp_path: Path, capsys: Any) -> None:
    call_command("backup", str(tmp_path / "copy"))
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert fingerprints(copy) == fingerprints(source)
        assert fingerprints(copy)["pet"].rows == 2000
    assert "2,000 rows" in capsys.readouterr().out


@pytest.mark.parametrize("page", [1, 2, 5, 9])
def test_a_damaged_database_is_no_backup(database: Path, tmp_path: Path, page: int) -> None:
    damage(database, page * PAGE + 3)  # the number of cells of a page
    with pytest.raises(CommandError, match=r"clinic\.sqlite3 is damaged"):
        call_command("backup", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == [database], "nothing is left that looks like a backup"


def test_a_damaged_header_is_one_sentence(database: Path, tmp_path: Path) -> None:
    damage(database, 0)
    with pytest.raises(CommandError, match=r"clinic\.sqlite3 is damaged"):
        call_command("backup", str(tmp_path / "copy"))


def test_a_row_that_is_missing_in_the_copy_is_noticed(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        source.backup(copy)
        assert fingerprints(source) == fingerprints(copy)
        copy.execute("UPDATE pet SET name = 'Biscuit 0007' WHERE id = 7")
        assert fingerprints(source) != fingerprints(copy)


def test_a_database_that_is_not_there_is_said_and_not_made(database: Path, tmp_path: Path) -> None:
    database.unlink()
    with pytest.raises(CommandError, match=r"clinic\.sqlite3 is not there"):
        call_command("backup", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"Dear clinic,\nhere is the file.\n" * 200, b"SQLite format 3\x00 and no more"],
    ids=["empty", "letter", "cut"],
)
def test_a_file_that_is_no_backup_is_not_restored(database: Path, tmp_path: Path, content: bytes) -> None:
    database.unlink()
    letter = tmp_path / "letter.txt"
    letter.write_bytes(content)
    with pytest.raises(CommandError, match=r"letter\.txt is no backup"):
        call_command("restore", str(letter))
    assert not database.exists(), "nothing was put in the place of the database"


def test_a_backup_goes_back(database: Path, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "copy"))
    database.unlink()
    call_command("restore", str(tmp_path / "copy"))
    with closing(sqlite3.connect(database)) as restored:
        assert restored.execute("SELECT count(*) FROM pet").fetchone() == (2000,)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("content", "sentence"), [(b"PGDMP", "The database not_there cannot be opened"), (b"Dear clinic", "is no backup")]
)
def test_of_postgresql_too_a_refusal_is_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    archive = tmp_path / "copy"
    archive.write_bytes(content)
    command = [sys.executable, "manage.py", "restore", str(archive)]
    environment = {**os.environ, "PGDATABASE": "not_there"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert sentence in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
