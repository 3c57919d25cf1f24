"""Let Python go on while Node works.

jsii waits for an answer to every message. Most of them say nothing new: that Node has started, or has loaded a package, or has made an object,
whose name is known before, because Node counts its objects. They are read when an answer is needed that says something, or when a hundred wait.
An attribute that only Terraform will know is a token, and is asked for once.
"""

import atexit
import importlib.util
import json
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from jsii import _runtime
from jsii._kernel.providers import process
from jsii._kernel.types import (
    CreateRequest,
    CreateResponse,
    GetRequest,
    GetResponse,
    InvokeRequest,
    InvokeResponse,
    LoadRequest,
    LoadResponse,
    ObjRef,
    SetRequest,
    SetResponse,
)
from jsii.errors import ErrorType, JavaScriptError, JSIIError

from . import node
from .optimizations import attempt, left_out

NEEDED = ("_next_message", "handshake", "send", "start", "stop")
"""Methods of jsii's process that this module changes or calls."""


def enable(core: str, hint: str) -> None:
    """Have jsii talk to Node in this way; calling it again changes nothing.

    :param core: the engine's package.
    :param hint: ends errors that are told later than they happened.

    Raises:
        LookupError: jsii is not built as this module knows it.
    """
    PipelinedProcess.first, PipelinedProcess.hint = ("constructs", core), hint
    missing = [name for name in NEEDED if not hasattr(process._NodeProcess, name)]
    if missing or not hasattr(process, "stderr_sink"):
        raise LookupError(f"jsii's process has no {', '.join(missing) or 'stderr_sink'}")
    vars(process)["_NodeProcess"] = PipelinedProcess


TIMEOUT_SECONDS = 120
"""Seconds to wait for Node to exit."""

AHEAD = 100
"""Answers that may wait unread. Their pipe holds 64 KiB, and Node stands still when it is full."""

TOKEN = "${TfToken["
"""Begin of a string that stands for an attribute that only Terraform will know; it stays the same."""

ENCODE = json.JSONEncoder(default=process.jdefault).encode
DECODE = json.JSONDecoder(object_hook=process.ohook).decode


def start() -> None:
    """Have Node load the first packages now, and Python run ahead of it."""
    PipelinedProcess.ahead = True
    for name in PipelinedProcess.first:
        spec = importlib.util.find_spec(name)
        places = spec.submodule_search_locations if spec else None
        for tarball in sorted(Path(places[0], "_jsii").glob(f"{name}@*.jsii.tgz")) if places else ():
            version = tarball.name.removeprefix(f"{name}@").removesuffix(".jsii.tgz")
            _runtime.kernel.load(name, version, str(tarball))


class PipelinedProcess(process._NodeProcess):
    """jsii's Node process, most of whose answers are read late or not asked for."""

    early: "ClassVar[subprocess.Popen[bytes] | None]" = None
    """Node, if it was started before jsii was imported."""

    first: ClassVar[tuple[str, ...]] = ()
    """Packages on which all others stand, in the order in which they are loaded."""

    hint: ClassVar[str] = ""
    """How to find the line that is at fault, where an error is told later."""

    ahead: ClassVar[bool] = False
    """Whether objects are asked for without waiting until they are made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # jsii has no types here
        self._ahead = self.ahead
        self._waiting = 0 if "ahead" in left_out() else AHEAD
        self._unread: deque[Callable[[], None]] = deque()
        self._number: int | None = None
        self._tokens: dict[str, dict[str, Any]] = {}

    def start(self) -> None:
        """Start Node, as jsii does, but without the launcher between it and Python."""
        node_process, PipelinedProcess.early = self.early or attempt("process", node.start), None
        if node_process is None:
            super().start()  # type: ignore[no-untyped-call] # nor here
            return
        self._process = node_process
        self.sink_thread = threading.Thread(target=process.stderr_sink, args=(node_process.stderr,), daemon=True)
        self.sink_thread.start()
        atexit.register(self.stop)
        self.handshake()

    def handshake(self) -> None:
        """Read Node's greeting later."""
        self._unread.append(super().handshake)

    def send(self, request: Any, response_type: Any) -> Any:
        """Send a message and return its answer; before Node has given it, where it is known.

        Raises:
            JSIIError, RuntimeError: as jsii does, for this message or one before it.
        """
        match request:
            case LoadRequest():
                package = {"name": request.name, "version": request.version, "tarball": request.tarball}
                self._later({"api": "load", **package})
                return LoadResponse(assembly=request.name, types=0)
            case CreateRequest(overrides=[_, *_]):
                self._ahead = False  # Node may call Python back at any time from now on
            case CreateRequest() if self._ahead and self._number is not None:
                return self._create(request, self._number + 1)
            case GetRequest() if self._ahead:
                return self._get(request)
            case SetRequest() | InvokeRequest():
                self._tokens.pop(request.objref.ref, None)
        self._read(0)
        answer = super().send(request, response_type)
        self._learn(answer)
        return answer

    def stop(self) -> None:
        """End Node, in its own time: after a first run it still writes an index of the packages (``node.cjs``)."""
        to_node: Any = self._process.stdin
        with suppress(OSError, subprocess.TimeoutExpired):
            if not to_node.closed:
                to_node.write(b'{"exit":0}\n')
                to_node.close()
            self._process.wait(timeout=TIMEOUT_SECONDS)
        super().stop()

    def _create(self, request: CreateRequest, number: int) -> CreateResponse:
        """Ask for an object under the number that it will have: Node counts them."""
        expected = ObjRef(ref=f"{request.fqn}@{number}")

        def check(answer: Any) -> None:
            if answer != expected:
                raise RuntimeError(f"Node made {answer} where {expected} was expected. {self.hint}".rstrip())

        message = {"api": "create", "fqn": request.fqn, "args": request.args, "interfaces": request.interfaces}
        self._later(message, check)
        self._number = number
        return CreateResponse(ref=expected.ref)

    def _get(self, request: GetRequest) -> GetResponse:
        """An attribute; one that only Terraform will know is asked for once."""
        known = self._tokens.setdefault(request.objref.ref, {})
        if request.property in known:
            return GetResponse(value=known[request.property])
        self._send({"api": "get", "objref": {"$jsii.byref": request.objref.ref}, "property": request.property})
        self._read(0)
        answer = GetResponse(**self._answer())
        self._learn(answer)
        if isinstance(answer.value, str) and answer.value.startswith(TOKEN):
            known[request.property] = answer.value
        return answer

    def _learn(self, answer: Any) -> None:
        """Keep the number of the last object."""
        match answer:
            case CreateResponse(ref=ref):
                self._number = _number(ref)
            case GetResponse(value=ObjRef(ref=ref)) if self._number is not None:
                self._number = max(self._number, _number(ref))
            case GetResponse(value=str()) | InvokeResponse(result=str() | None) | SetResponse():
                pass
            case _:
                self._number = None  # objects in it may have numbers too

    def _later(self, message: dict[str, Any], check: Callable[[Any], None] = lambda answer: None) -> None:
        """Send a message whose answer is read, and looked at, later."""
        self._send(message)
        self._unread.append(lambda: check(self._answer()))
        self._read(self._waiting)

    def _send(self, message: dict[str, Any]) -> None:
        to_node: Any = self._process.stdin
        to_node.write(ENCODE(message).encode() + b"\n")
        to_node.flush()

    def _read(self, left: int) -> None:
        while len(self._unread) > left:
            self._unread.popleft()()

    def _answer(self) -> Any:
        """Node's next answer.

        Raises:
            JSIIError, RuntimeError: it is an error.
        """
        answer = self._next_message()
        if "ok" in answer:
            return answer["ok"]
        kind = JSIIError if answer.get("name") == ErrorType.JSII_FAULT.value else RuntimeError
        cause = JavaScriptError(answer.get("stack", ""))  # type: ignore[no-untyped-call] # nor here
        raise kind(f"{answer.get('error', answer)} {self.hint}".rstrip()) from cause

    def _next_message(self) -> Any:
        from_node: Any = self._process.stdout
        return DECODE(from_node.readline().decode())


def _number(ref: str) -> int:
    return int(ref.rpartition("@")[2])
