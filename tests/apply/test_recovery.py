"""The drill's first step against the real Terraform: it proves a recovery, and sees when there is none.

It takes prod, which nothing destroys, and recovers by the right of its operators.
"""

import subprocess
import sys

import pytest

from operations.devtools.drill_steps import lose_and_recover
from operations.devtools.emulator import REPOSITORY
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.stack import Stack
from operations.shared.errors import Failure
from tests.apply import identities


def test_a_lost_state_is_recovered_and_a_recovery_that_does_nothing_is_noticed(
    stacks: dict[str, Stack], emulated: Account
) -> None:
    operator = identities.operator(emulated, "prod")

    def recover() -> None:
        command = [sys.executable, "-m", "operations", "state", "recover", "--yes", "vet-prod"]
        done = subprocess.run(command, cwd=REPOSITORY, env=operator, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    with pytest.raises(Failure, match=r"resources in the state before, 0 after"):
        lose_and_recover(stacks["vet-prod"], lambda: None)
    recover()
    assert "a plan changes nothing" in lose_and_recover(stacks["vet-prod"], recover)
