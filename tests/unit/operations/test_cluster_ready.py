"""What the ready gate stands for is looked at, and waited for."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from operations.deployment import cluster_ready
from operations.shared.errors import Failure
from operations.shared.servers import Cluster


@dataclass
class Forming(Cluster):
    """A cluster whose servers publish with time: each look finds the next of these."""

    certificates: list[str] = field(default_factory=lambda: ["pending", "pending", "PEM"])
    versions: list[dict[str, Any]] = field(default_factory=lambda: [{}, {}, {}, {"v": ["AWSCURRENT"]}])
    looks: int = 0

    def __post_init__(self) -> None:
        super().__init__("dev")

    def client(self, service: str) -> Any:
        """Parameter Store and Secrets Manager."""
        return self

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's own names
        """The next of the certificate authorities."""
        assert Name == "/vet-dev/cluster-ca"
        self.looks += 1
        return {"Parameter": {"Value": _next(self.certificates)}}

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        """The next of the secret's versions; its value is never asked for."""
        assert SecretId == "vet-dev/credentials/admin"
        return {"VersionIdsToStages": _next(self.versions)}


def _next(values: list[Any]) -> Any:
    return values.pop(0) if len(values) > 1 else values[0]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting."""
    monkeypatch.setattr(cluster_ready, "POLL_SECONDS", 0)


def test_a_gate_that_ended_early_is_waited_for_until_all_is_there() -> None:
    forming = Forming()
    assert cluster_ready.lacking(forming) == "its certificate authority and its credentials"
    cluster_ready.wait(forming)
    assert forming.looks == 4, "the credentials came last"


def test_a_cluster_that_is_there_is_looked_at_once() -> None:
    forming = Forming(certificates=["PEM"], versions=[{"v": ["AWSCURRENT"]}])
    cluster_ready.wait(forming)
    assert forming.looks == 1


def test_one_that_does_not_come_is_not_sent_back_to_the_step_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_ready, "TIMEOUT_SECONDS", 0)
    with pytest.raises(Failure, match="have not published its certificate authority") as failure:
        cluster_ready.wait(Forming(certificates=["pending"]))
    assert "journalctl -t vet" in str(failure.value)
    assert "first" not in str(failure.value).lower()


def test_what_cannot_be_asked_is_not_taken_for_absent() -> None:
    class Unreachable(Forming):
        def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
            raise EndpointConnectionError(endpoint_url="https://ssm")

    with pytest.raises(Failure, match="cannot see whether"):
        cluster_ready.wait(Unreachable())
