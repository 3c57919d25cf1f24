"""One emulator and one loaded AWS CLI for all boot tests; a sandbox of its own for each."""

import ast
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.s3.responses import S3Response
from moto.secretsmanager.models import SecretsManagerBackend
from moto.server import ThreadedMotoServer

from tests.boot import session_manager
from tests.boot.sandbox import Sandbox
from tests.cluster import kubernetes

__all__ = ["kubernetes"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the scenarios as sentences, below what they are about."""
    seen: dict[str, list[str]] = {}
    for outcome, mark in (("passed", "ok  "), ("failed", "FAIL"), ("error", "FAIL")):
        for report in terminalreporter.stats.get(outcome, []):
            module, _, name = report.nodeid.rpartition("::")
            sentence, bracket, case = name.removeprefix("test_").partition("[")
            line = f"  {mark} {sentence.replace('_', ' ')}{': ' if bracket else ''}{case.removesuffix(']')}"
            seen.setdefault(module, []).append(line)
    for module in sorted(seen):
        about = ast.get_docstring(ast.parse(Path(module).read_text())) or module
        terminalreporter.write_line("\n" + about.replace("\n", " "))
        for line in seen[module]:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """Moto's server on a free port of loopback, with S3's conditional put made atomic."""
    _make_conditional_put_atomic()
    _let_the_current_version_be_what_its_label_says()
    session_manager.install()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[str]:
    """The ports of the server that runs the stand-ins, loaded once: without the real AWS CLI, and with it."""
    program = Path(__file__).parent / "stand_ins/server.py"
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ports = process.stdout.readline().strip()
    assert ports, "the AWS CLI did not load; is awscli installed in this environment?"
    yield ports
    process.terminate()
    process.wait()


@pytest.fixture
def make_sandbox(tmp_path: Path, emulator: str, stand_ins: str) -> Callable[..., Sandbox]:
    """Makes sandboxes: ``make_sandbox(servers=3)``."""

    def make(servers: int = 1, **options: Any) -> Sandbox:
        return Sandbox(tmp_path / f"sandbox{len(list(tmp_path.iterdir()))}", emulator, stand_ins, servers, **options)

    return make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox with one server."""
    return make_sandbox()


# mypy warns of replacing methods; moto has no other way to be corrected in these two.


def _let_the_current_version_be_what_its_label_says() -> None:
    """Secrets Manager gives the version with AWSCURRENT; Moto gives the one that was put last, wherever the label moved."""
    move = SecretsManagerBackend.update_secret_version_stage

    def update_secret_version_stage(self: SecretsManagerBackend, **asked: str) -> tuple[str, str]:
        answer: tuple[str, str] = move(self, **asked)
        if asked["version_stage"] == "AWSCURRENT":
            self.secrets[asked["secret_id"]].default_version_id = asked["move_to_version_id"]
        return answer

    SecretsManagerBackend.update_secret_version_stage = update_secret_version_stage  # type: ignore[method-assign]


def _make_conditional_put_atomic() -> None:
    """S3 decides a conditional put atomically; Moto looks first and writes later, so its put is put under a lock."""
    lock, original = threading.Lock(), S3Response.put_object

    def put_object(response: S3Response) -> Any:
        with lock:
            return original(response)

    S3Response.put_object = put_object  # type: ignore[method-assign]
