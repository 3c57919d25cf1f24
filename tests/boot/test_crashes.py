"""Power is lost right after any step that changes something; the next boot ends as if it had not been."""

from collections.abc import Callable

import pytest

from tests.boot.sandbox import SUBNETS, Sandbox

INITIALISING = [
    ("lsblk", 1),
    ("curl --fail --silent --show-error --location --proto =https --max-time 900", 1),
    ("mkfs.ext4", 1),
    ("mount UUID", 1),
    ("mount --bind", 1),
    ("mount --bind", 2),
    ("put-object --bucket nodes", 1),  # the marker is won
    ("put-secret-value", 1),  # the server token is stored
    ("put-secret-value", 2),  # the agent token is stored
    ("systemctl start rke2-server", 1),
    ("put-object --bucket nodes", 2),  # the marker says ready
    ("put-parameter", 1),
    ("put-object --bucket issuer", 1),
    ("kubectl --kubeconfig", 9),
    ("put-secret-value", 3),  # the first credentials
    ("systemctl enable --now vet-credentials", 1),
]

JOINING = [
    ("create -f", 1),  # its turn is taken
    ("delete node", 1),
    ("delete secret", 1),
    ("systemctl start rke2-server", 1),
    ("delete lease", 1),
]


@pytest.mark.parametrize(("call", "count"), INITIALISING)
def test_initialising_resumes_after_a_crash(call: str, count: int, sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    server.crash_after(call, count)
    crashed = server.boot()
    assert crashed.code == -9, f"did not crash after {call!r}:\n{crashed.log}"
    token = sandbox.secret("server-token")
    server.power_off()
    result = server.boot()
    assert result.code == 0, result.log
    assert list(sandbox.state["clusters"]) == ["cluster-0"]
    assert "state=ready" in (sandbox.marker() or ""), sandbox.marker()
    assert sandbox.ca() == "CA of cluster-0"
    assert sandbox.secret("credentials/admin"), "no credentials after the second boot"
    assert token in (None, sandbox.secret("server-token")), "the join token was replaced"
    assert len(server.calls("mkfs.ext4")) == 1, "the data volume was formatted twice"


@pytest.mark.parametrize(("call", "count"), JOINING)
def test_joining_resumes_after_a_crash(call: str, count: int, make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[2].power_off()
    server = sandbox.server(2)
    server.crash_after(call, count)
    crashed = server.boot()
    assert crashed.code == -9, f"did not crash after {call!r}:\n{crashed.log}"
    server.power_off()
    result = server.boot()
    assert result.code == 0, result.log
    assert sandbox.problems() == []
    assert sandbox.members() == sorted(SUBNETS)
    assert sandbox.state["clusters"]["cluster-0"]["leases"] == {}


def test_an_agent_resumes_after_a_crash(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=1)
    sandbox.running_cluster()
    agent = sandbox.agent()
    agent.crash_after("systemctl start rke2-agent")
    assert agent.boot().code == -9
    agent.power_off()
    result = agent.boot()
    assert result.code == 0, result.log
