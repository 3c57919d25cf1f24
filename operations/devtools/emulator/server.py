"""The emulator's process: ``python -m operations.devtools.emulator.server`` prints its address and serves until its standard input ends.

So it never outlives the program that started it, whatever becomes of that.
"""

import os
import sys
from pathlib import Path
from typing import Any

# Read by moto when it is imported.
os.environ["MOTO_AMIS_PATH"] = str(Path(__file__).with_name("images.json"))
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_ACM_VALIDATION_WAIT"] = "1"

from moto.moto_server import threaded_moto_server
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.server import ThreadedMotoServer

from operations.devtools.emulator import (
    ACCOUNT_ID,
    instance_refresh,
    lifecycle_hooks,
    mixed_instances,
    moto_patches,
    refusals,
    ssm_associations,
    ssm_commands,
)
from operations.devtools.emulator.constraints import Constraints
from operations.devtools.emulator.dlm import DataLifecycleManager
from operations.devtools.emulator.retries import Retries
from operations.devtools.emulator.rights.application import Rights


class NamingHandler(MotoRequestHandler):
    """Logs each request with the program that sent it, so that a log tells which provider ran."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line: request, status, User-Agent."""
        self.log("info", "%s %s %s", self.requestline, code, self.headers.get("User-Agent", "-"))


def serve() -> None:
    """Serve on a free port of the loopback address."""
    moto_patches.install()
    ssm_associations.install()
    ssm_commands.install()
    lifecycle_hooks.install()
    mixed_instances.install()
    instance_refresh.install()
    refusals.install()
    # moto names its handler in that module and takes none as an argument; the module does not export it, hence the exception.
    threaded_moto_server.MotoRequestHandler = NamingHandler  # type: ignore[attr-defined]
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    running: Any = server._server
    running.app = Retries(Rights(Constraints(DataLifecycleManager(running.app, ACCOUNT_ID))))
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
