"""AWS on this machine: moto's server with a small supplement, for ``make local``, ``make drill`` and ``make test-apply``.

Programs reach it through the environment variables that every AWS SDK honours; nothing in the Terraform JSON knows of it.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from operations.shared.errors import Failure
from operations.shared.provider_lock import STAND_INS

ACCOUNT_ID = "123456789012"
"""The account that the emulator plays, which is also the placeholder in ``environments/_project.yaml``."""

REPOSITORY = Path(__file__).resolve().parents[3]


class Emulator:
    """A running emulator, forgotten when it stops.

    :param log: file for what the server prints, requests included.

    ``with Emulator(log) as aws: subprocess.run(..., env=aws.environment)``
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self.url = ""

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "operations.devtools.emulator.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=REPOSITORY,
                start_new_session=True,  # Ctrl-C at the terminal leaves it to those who still talk to it
            )
        assert self._server.stdout is not None
        self.url = self._server.stdout.readline().strip()
        if not self.url:
            tail = "\n".join(self._log.read_text().splitlines()[-5:])
            raise Failure(f"the AWS emulator did not start:\n{tail}\nall of its output is in {self._log}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate(timeout=30)  # closes its standard input

    @property
    def variables(self) -> dict[str, str]:
        """What a person would export to send AWS programs to the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "emulator",
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "3",
        }

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, led to the emulator: no profile or session of a real account is left in it. Providers may be
        stand-ins: there is nothing in the account to protect from them."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        more = {"NO_PROXY": "127.0.0.1", "CHECKPOINT_DISABLE": "1", STAND_INS: "yes"}
        return {**inherited, **self.variables, **more}
