"""Runs in a pod of the application: writes rows as fast as the database acknowledges them, and tells how that went.

    python - SECONDS < writer.py

Prints JSON: how many were acknowledged, the longest time without an acknowledgement in seconds, how often a connection broke,
and the acknowledged numbers.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg  # type: ignore[import-not-found]  # the application's pod has it


def connect() -> Any:
    """A connection as the application makes it."""
    user, password = (Path(os.environ[name]).read_text().strip() for name in ("PGUSER_FILE", "PGPASSWORD_FILE"))
    return psycopg.connect(
        dbname=os.environ["PGDATABASE"], user=user, password=password, connect_timeout=3, autocommit=True,
        keepalives_idle=5, keepalives_interval=2, keepalives_count=3, tcp_user_timeout=10_000,
        options="-c statement_timeout=5000",
    )  # fmt: skip


def main(seconds: float) -> None:
    """Write until the time is over."""
    acknowledged: list[int] = []
    connection, number, broken, longest = None, 0, 0, 0.0
    start = last = time.monotonic()
    while time.monotonic() - start < seconds:
        number += 1
        try:
            connection = connection or connect()
            connection.execute("insert into writes values (%s)", (number,))
        except psycopg.Error:
            connection, broken = None, broken + 1
            time.sleep(0.1)
            continue
        acknowledged.append(number)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        time.sleep(0.02)
    longest = max(longest, time.monotonic() - last)
    print(json.dumps({"longest": longest, "broken": broken, "acknowledged": acknowledged}))


main(float(sys.argv[1]))
