"""SQLite whose transactions begin IMMEDIATE and whose file allows readers beside the writer.

A transaction that reads first and writes later fails with "database is locked" when another one wrote in between,
and no
time-out helps; taking the write lock at BEGIN makes the second writer wait instead. Django 5.1 has an option for it
(https://docs.djangoproject.com/en/5.1/ref/databases/#sqlite-transaction-behavior), Django 4.2 has not.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base

from vetclinic.sqlite.trigrams import word_similarity


class DatabaseWrapper(base.DatabaseWrapper):
    """The SQLite backend with BEGIN IMMEDIATE, write-ahead logging and the likeness of words."""

    def _start_transaction_under_autocommit(self) -> None:
        self.cursor().execute("BEGIN IMMEDIATE")

    def get_new_connection(self, conn_params: Any) -> Any:
        """Open the file with write-ahead logging."""
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.create_function("word_similarity", 2, word_similarity, deterministic=True)
        return connection
