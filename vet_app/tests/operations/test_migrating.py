"""Migrating with several replicas, and what a database that is not there looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.servers import ROOT, manage, production

REPLICAS = 3


@pytest.mark.postgresql
def test_replicas_that_start_together_migrate_one_after_the_other(new_database: Any, tmp_path: Path) -> None:
    environment = production(new_database("migrating"), tmp_path)
    command = [sys.executable, "manage.py", "migrate_locked"]
    options: Any = {
        "cwd": ROOT,
        "env": environment,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }
    started = [subprocess.Popen(command, **options) for _number in range(REPLICAS)]
    outputs = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0] * REPLICAS, outputs
    assert sum("Applying" in text for text in outputs) == 1, "one migrates, the others have nothing left to do"
    assert manage(environment, "migrate", "--check").returncode == 0


def test_a_database_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    environment = production({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}, tmp_path)
    done = manage(environment, "migrate_locked", "--wait", "0")
    assert done.returncode == 1
    assert "did not answer within 0 seconds" in done.stderr
    assert "Traceback" not in done.stderr
