"""Let Python go on while Node starts and loads the packages.

jsii waits for an answer to every message. To be told that Node has started, or has loaded a package, changes nothing for Python, which can
meanwhile import its own side: these answers are read when the first one that matters is.
"""

import importlib.util
import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from jsii import _runtime
from jsii._kernel.providers import process
from jsii._kernel.types import LoadRequest, LoadResponse


def enable() -> None:
    """Have jsii talk to Node in this way, if it is built as this module knows it; calling it again changes nothing."""
    if all(hasattr(process._NodeProcess, name) for name in ("_next_message", "handshake", "send")):
        vars(process)["_NodeProcess"] = PatientProcess


PATIENCE = 120
"""Seconds that Node has to end."""

FIRST = ("constructs", "cdktf")
"""Packages on which all others stand, in the order in which they are loaded."""


def start() -> None:
    """Start Node now and have it load the first packages; without this it does when Python imports them."""
    for name in FIRST:
        spec = importlib.util.find_spec(name)
        places = spec.submodule_search_locations if spec else None
        for tarball in sorted(Path(places[0], "_jsii").glob(f"{name}@*.jsii.tgz")) if places else ():
            version = tarball.name.removeprefix(f"{name}@").removesuffix(".jsii.tgz")
            _runtime.kernel.load(name, version, str(tarball))


class PatientProcess(process._NodeProcess):
    """jsii's Node process, whose first answers are read late."""

    @cached_property
    def _unread(self) -> list[Callable[[], None]]:
        return []

    def handshake(self) -> None:
        """Read Node's greeting later."""
        self._unread.append(super().handshake)

    def send(self, request: Any, response_type: Any) -> Any:
        """Send a message and return its answer; of one that loads a package, before Node has given it.

        Raises:
            JSIIError, RuntimeError: as jsii does, for this message or one before it.
        """
        if isinstance(request, LoadRequest):
            return self._load(request)
        while self._unread:
            self._unread.pop(0)()
        return super().send(request, response_type)

    def stop(self) -> None:
        """End Node, in its own time: after a first run it still writes an index of the packages (``node.cjs``)."""
        to_node: Any = self._process.stdin
        with suppress(OSError, subprocess.TimeoutExpired):
            if not to_node.closed:
                to_node.write(b'{"exit":0}\n')
                to_node.close()
            self._process.wait(timeout=PATIENCE)
        super().stop()

    def _load(self, request: LoadRequest) -> LoadResponse:
        message = json.dumps(self._serializer.unstructure(request)).encode()
        to_node: Any = self._process.stdin
        to_node.write(message + b"\n")
        to_node.flush()
        self._unread.append(self._loaded)
        return LoadResponse(assembly=request.name, types=0)

    def _loaded(self) -> None:
        answer = self._next_message()
        if "ok" not in answer:
            raise RuntimeError(answer.get("error", answer))
