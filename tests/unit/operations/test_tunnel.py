"""The way to a private API: a tunnel where it takes one, and only as long as it is used."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operations.shared import tunnel as tunnel_module
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from operations.shared.tunnel import is_open, terraform_variables, tunnel

HOST = "vet-prod-api-1.elb.us-east-1.amazonaws.com"

SERVER = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    while True:
        connection, _ = listening.accept()
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            pass
"""
"""What answers as an API server, as far as its certificate goes."""


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for the API's host that is its own CA, and its key."""
    files = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A port of this machine that nobody uses, for the API and for the tunnel, and the cluster's own CA."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free_port: int = free.getsockname()[1]
    ours, _ = certificate(tmp_path, "ours")
    monkeypatch.setattr(tunnel_module, "TUNNEL_PORT", free_port)
    monkeypatch.setattr(tunnel_module, "api_host", lambda _: HOST)
    monkeypatch.setattr(tunnel_module, "authority", lambda _: ours.read_text())
    monkeypatch.delenv("TF_VAR_api_address", raising=False)
    return free_port


def api(port: int, folder: Path, name: str) -> list[str]:
    """The command of an API server with a certificate."""
    return [sys.executable, "-c", SERVER, str(port), str(folder / f"{name}.crt"), str(folder / f"{name}.key")]


@pytest.fixture
def session_manager(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that opens the port to the cluster's API, as Session Manager does."""
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: api(port, tmp_path, "ours"))


@pytest.mark.usefixtures("session_manager")
def test_a_private_api_is_reached_through_a_tunnel_that_ends() -> None:
    with tunnel(Cluster("prod")):
        assert is_open(Cluster("prod"))
    assert not is_open(Cluster("prod")), "the tunnel outlives its use"


def test_a_tunnel_that_does_not_open_says_why(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tunnel_module, "tunnel_command", lambda _: ["sh", "-c", "echo SessionManagerPlugin is not found >&2; exit 255"]
    )
    with pytest.raises(Failure, match="did not open: SessionManagerPlugin is not found"), tunnel(Cluster("prod")):
        pass
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: ["no-such-program"])
    with pytest.raises(Failure, match="the AWS CLI is not on PATH"), tunnel(Cluster("prod")):
        pass


@pytest.mark.parametrize("listener", ["another CA", "no TLS"])
def test_what_else_listens_on_the_port_is_not_taken_for_the_api(
    listener: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another environment's tunnel, say: the command would have been carried out there."""
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: pytest.fail("a tunnel was opened"))
    certificate(tmp_path, "theirs")
    web = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(tmp_path), str(port)]
    command = api(port, tmp_path, "theirs") if listener == "another CA" else web
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while not tunnel_module._connects("127.0.0.1"):
                time.sleep(0.05)
            with pytest.raises(Failure, match=r"is not the API of vet-prod"), tunnel(Cluster("prod")):
                pass
        finally:
            process.kill()


@pytest.mark.usefixtures("session_manager")
def test_terraform_is_told_the_tunnel(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with terraform_variables(Cluster("prod")) as variables:
        assert variables == {"TF_VAR_api_address": f"https://127.0.0.1:{port}"}
        assert is_open(Cluster("prod"))
    assert not is_open(Cluster("prod"))


def test_an_api_that_answers_takes_no_tunnel(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_module, "api_host", lambda _: "127.0.0.1")
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: pytest.fail("a tunnel was opened"))
    with socket.create_server(("127.0.0.1", port)), terraform_variables(Cluster("prod")) as variables:
        assert variables == {}


def test_what_a_person_has_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tunnel_module.API_ADDRESS, "https://localhost:16443")
    monkeypatch.setattr(tunnel_module, "api_host", lambda _: pytest.fail("AWS was asked"))
    with terraform_variables(Cluster("prod")) as variables:
        assert variables == {}
