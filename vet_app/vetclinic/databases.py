"""Choose the database from the environment: DATABASE_URL, or libpq's PG variables, or the embedded SQLite file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

from django.core.exceptions import ImproperlyConfigured

from vetclinic import env

STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 3_000
# A server that vanished without a word (its node is gone) is noticed after ten seconds, not after fifteen minutes.
DEAD_PEER = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


def database(default_file: Path) -> Dict[str, Any]:
    """Django's settings of the one database."""
    url = env.text("DATABASE_URL")
    if url or os.environ.get("PGHOST"):
        return of_url(url)
    return sqlite(default_file)


def of_url(url: str) -> Dict[str, Any]:
    """Django's settings of a database by its URL alone; raises ImproperlyConfigured where it is not understood."""
    if url.startswith("sqlite:"):
        return sqlite(Path(url[len("sqlite:") :].replace("///", "", 1)))
    return postgresql(url)


def sqlite(file: Path) -> Dict[str, Any]:
    """The embedded database in one file, or `:memory:`."""
    return {"ENGINE": "vetclinic.sqlite", "NAME": str(file), "OPTIONS": {"timeout": 20}}


def postgresql(url: str) -> Dict[str, Any]:
    """PostgreSQL by URL; what the URL leaves out comes from libpq's variables (PGHOST, PGUSER, PGPASSWORD, ...).

    One connection per thread is kept for five minutes and checked before use, so that a restart of the server heals by
    itself; no statement may hold one of the few threads for longer than five seconds.
    """
    from psycopg import ProgrammingError, conninfo

    try:
        parameters = conninfo.conninfo_to_dict(url)
    except ProgrammingError as problem:
        raise ImproperlyConfigured(
            "DATABASE_URL is not understood; it must look like postgresql://user:password@host:5432/name."
        ) from problem
    names = {"NAME": ("dbname", "PGDATABASE"), "USER": ("user", "PGUSER"), "PASSWORD": ("password", "PGPASSWORD"),
             "HOST": ("host", "PGHOST"), "PORT": ("port", "PGPORT")}  # fmt: skip
    chosen = {name: str(parameters.pop(key, "") or env.text(variable)) for name, (key, variable) in names.items()}
    chosen["NAME"] = chosen["NAME"] or "vet_app"
    timeouts = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
        " -c idle_in_transaction_session_timeout=60000"
    )
    options = {
        "connect_timeout": 3,
        **DEAD_PEER,
        "application_name": env.text("POD_NAME", "vet_app"),
        "options": timeouts,
        **parameters,
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        **chosen,
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
