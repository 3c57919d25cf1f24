"""Kubeconfigs: no key in any of them, and each asks AWS as the person who uses it."""

import json
from types import SimpleNamespace
from typing import Any, cast

import jmespath
import pytest

from nodes.authentication import audience
from operations.shared import kubeconfig as module
from operations.shared.errors import Failure
from operations.shared.kubeconfig import PERSON, SHARED, kubeconfig
from operations.shared.servers import Cluster
from settings import Settings
from settings.names import Names
from tests.changes import ISSUER


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "api_host", lambda *_, **__: "api.example.com")
    monkeypatch.setattr(module, "authority", lambda _: "CA\n")


def cluster(settings: Settings, issuer: str | None) -> Cluster:
    """prod, where people are known in AWS by this issuer."""
    prod = settings.environment("prod")
    identity = prod.access.identity.model_copy(update={"issuer": issuer})
    prod = prod.model_copy(update={"access": prod.access.model_copy(update={"identity": identity})})
    return cast("Cluster", SimpleNamespace(names=Names(settings.project, prod), environment=prod))


def asked(document: dict[str, Any]) -> list[str]:
    """The command that gets credentials."""
    (user,) = document["users"]
    assert set(user["user"]) == {"exec"}, "a kubeconfig holds no key"
    assert user["user"]["exec"]["command"] == "aws"
    return [str(each) for each in user["user"]["exec"]["args"]]


@pytest.mark.parametrize("role", SHARED)
@pytest.mark.parametrize("issuer", [None, ISSUER])
def test_a_shared_account_is_asked_of_secrets_manager(role: str, issuer: str | None, settings: Settings) -> None:
    words = asked(kubeconfig(cluster(settings, issuer), role))
    assert words[:2] == ["secretsmanager", "get-secret-value"]
    assert words[words.index("--secret-id") + 1].endswith(f"credentials/{role}")


def test_a_person_asks_for_a_token_of_this_cluster_alone(settings: Settings) -> None:
    words = asked(kubeconfig(cluster(settings, ISSUER), PERSON))
    assert words[:2] == ["sts", "get-web-identity-token"]
    assert words[words.index("--audience") + 1] == audience("vet-prod")
    assert int(words[words.index("--duration-seconds") + 1]) <= 3600, "AWS gives an hour at most"
    assert "--region" in words, "the global endpoint has no such tokens"


def test_what_aws_answers_becomes_what_kubectl_reads(settings: Settings) -> None:
    words = asked(kubeconfig(cluster(settings, ISSUER), PERSON))
    answer = {"WebIdentityToken": "eyJ", "Expiration": "2026-11-29T07:00:00+00:00"}
    credential = jmespath.search(words[words.index("--query") + 1], answer)
    assert words[words.index("--output") + 1] == "json"
    assert json.loads(json.dumps(credential)) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "eyJ", "expirationTimestamp": "2026-11-29T07:00:00+00:00"},
    }


def test_without_an_issuer_nobody_is_a_person(settings: Settings) -> None:
    with pytest.raises(Failure, match=r"access\.identity\.issuer"):
        kubeconfig(cluster(settings, None), PERSON)
