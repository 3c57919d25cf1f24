"""The ways to the cluster: a healthy server, a kubeconfig without a key, a tunnel."""

from dataclasses import replace

import pytest
import yaml

from operations.cluster import snapshots
from operations.shared import kubeconfig
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Cluster, Server
from tests.unit.operations.cluster import WHOLE, Fake


def test_snapshots_and_tunnels_take_the_first_server_that_is_well(prod: Fake) -> None:
    prod.healths[0] = replace(WHOLE, etcd_healthy=False)
    snapshots.take(prod, "before-change")
    assert prod.calls == ["snapshot 1 before-change"]
    prod.healths = dict.fromkeys(range(3), replace(WHOLE, api_ready=False))
    with pytest.raises(Failure, match="no server of vet-prod is healthy"):
        snapshots.take(prod, "before-change")
    with pytest.raises(Failure, match="a snapshot's name has"):
        snapshots.take(prod, "x'; reboot; '")


@pytest.fixture
def reachable(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A deployed environment."""
    host = "vet-prod-api-1.elb.us-east-1.amazonaws.com"
    monkeypatch.setattr(kubeconfig, "api_host", lambda *_, **__: host)
    monkeypatch.setattr(kubeconfig, "authority", lambda _: "CERTIFICATE\n")
    return prod


@pytest.mark.parametrize("role", [role for role in kubeconfig.ROLES if role != kubeconfig.PERSON])
def test_a_kubeconfig_has_no_key_and_works_through_a_tunnel(role: str, reachable: Fake) -> None:
    document = kubeconfig.kubeconfig(reachable, role)
    text = yaml.safe_dump(document)
    for secret in ("client-key", "client-certificate-data", "token:", "password"):
        assert secret not in text
    (cluster,) = document["clusters"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert cluster["cluster"]["tls-server-name"].startswith("vet-prod-api-")
    (user,) = document["users"]
    assert reachable.names.secret(f"credentials/{role}") in user["user"]["exec"]["args"]


def test_the_tunnel_goes_to_a_server_that_is_well(reachable: Fake) -> None:
    reachable.down = {0}
    assert "i-1-0" in kubeconfig.tunnel_command(reachable)


@pytest.mark.parametrize(("code", "reached"), [("AccessDeniedException", True), ("ThrottlingException", False)])
def test_a_person_who_may_run_nothing_on_servers_still_gets_a_tunnel(
    code: str, reached: bool, reachable: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def health(server: Server) -> Health:
        raise Failure(f"Session Manager does not reach server {server.slot}", code=code)

    monkeypatch.setattr(reachable, "health", health)
    if reached:
        assert "i-0-0" in kubeconfig.tunnel_command(reachable)
    else:
        with pytest.raises(Failure, match="no server of vet-prod is healthy"):
            kubeconfig.tunnel_command(reachable)


def test_an_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(Failure, match="dev, prod"):
        Cluster("staging")
