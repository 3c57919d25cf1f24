"""Renamed node programs: a server that was not rolled since has them under their former names."""

import subprocess
from pathlib import Path

import pytest

from operations.shared import servers


@pytest.mark.parametrize("known", ["stop-cluster-services", "quiesce"])
def test_a_renamed_program_is_called_by_the_name_that_the_server_has(
    known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PROGRAMS", str(tmp_path))
    program = tmp_path / known
    program.write_text('#!/bin/sh\nprintf "%s|" "$0" "$@"\n')
    program.chmod(0o755)
    line = servers._command("stop-cluster-services", ["run 1", "a'; touch pwned"])
    called = subprocess.run(["sh", "-ec", line], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert called.stdout == f"{program}|run 1|a'; touch pwned|"
    assert not (tmp_path / "pwned").exists()


def test_a_program_that_kept_its_name_is_called_plainly() -> None:
    assert servers._command("health", []) == "/opt/vet/bin/health"
