"""The way to a private API: a tunnel where it takes one, and only as long as it is used."""

import socket

import pytest

from operations import tunnel as tunnel_module
from operations.failure import Failure
from operations.servers import Cluster
from operations.tunnel import terraform_variables, tunnel


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port of this machine that nobody uses, for the API and for the tunnel."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    monkeypatch.setattr(tunnel_module, "TUNNEL_PORT", found)
    monkeypatch.delenv("TF_VAR_api_address", raising=False)
    return found


@pytest.fixture
def session_manager(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that opens the port, as Session Manager does."""
    listen = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: ["python3", "-c", listen])


@pytest.mark.usefixtures("session_manager")
def test_a_private_api_is_reached_through_a_tunnel_that_ends() -> None:
    with tunnel(Cluster("prod")):
        assert tunnel_module._is_open()
    assert not tunnel_module._is_open(), "the tunnel outlives its use"


def test_a_tunnel_that_does_not_open_says_why(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tunnel_module, "tunnel_command", lambda _: ["sh", "-c", "echo SessionManagerPlugin is not found >&2; exit 255"]
    )
    with pytest.raises(Failure, match="did not open: SessionManagerPlugin is not found"), tunnel(Cluster("prod")):
        pass
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: ["no-such-program"])
    with pytest.raises(Failure, match="the AWS CLI is not on PATH"), tunnel(Cluster("prod")):
        pass


@pytest.mark.usefixtures("session_manager")
def test_terraform_is_told_the_tunnel(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_module, "api_host", lambda _: "does-not-exist.invalid")
    with terraform_variables(Cluster("prod")) as found:
        assert found == {"TF_VAR_api_address": f"https://127.0.0.1:{port}"}
        assert tunnel_module._is_open()
    assert not tunnel_module._is_open()


def test_an_api_that_answers_takes_no_tunnel(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_module, "api_host", lambda _: "127.0.0.1")
    monkeypatch.setattr(tunnel_module, "tunnel_command", lambda _: pytest.fail("a tunnel was opened"))
    with socket.create_server(("127.0.0.1", port)), terraform_variables(Cluster("prod")) as found:
        assert found == {}


def test_what_a_person_has_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tunnel_module.API_ADDRESS, "https://localhost:16443")
    monkeypatch.setattr(tunnel_module, "api_host", lambda _: pytest.fail("AWS was asked"))
    with terraform_variables(Cluster("prod")) as found:
        assert found == {}
