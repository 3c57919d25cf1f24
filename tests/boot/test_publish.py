"""What a cluster publishes: its CA, the issuer's public documents, credentials that end by themselves; and the gate
that waits for them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import yaml

from tests.boot.sandbox import STOPPED, Sandbox


def _object(sandbox: Sandbox, key: str) -> dict[str, object]:
    answer = sandbox.client("s3").get_object(Bucket=sandbox.inputs.issuer_bucket, Key=key)
    assert answer["ContentType"] == "application/json"
    document: dict[str, object] = json.loads(answer["Body"].read())
    return document


def test_the_issuers_documents_are_public_keys_only(sandbox: Sandbox) -> None:
    assert sandbox.server(0).boot().code == 0
    discovery = _object(sandbox, ".well-known/openid-configuration")
    assert discovery["issuer"] == sandbox.inputs.issuer_url
    assert discovery["jwks_uri"] == f"{sandbox.inputs.issuer_url}/openid/v1/jwks"
    assert _object(sandbox, "openid/v1/jwks") == {"keys": [sandbox.issuer_key]}


def test_a_private_key_is_never_published(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(issuer_key={"kty": "RSA", "n": "public", "e": "AQAB", "d": "private"})
    result = sandbox.server(0).boot()
    assert result.code == STOPPED, result.log
    assert "private key" in result.log
    listed = sandbox.client("s3").list_objects_v2(Bucket=sandbox.inputs.issuer_bucket).get("Contents", [])
    assert [entry["Key"] for entry in listed] == [".well-known/openid-configuration"]


def test_credentials_are_exec_credentials_of_twelve_hours_for_each_role(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    assert server.boot().code == 0
    assert sandbox.secret("credentials/deploy") is None, "credentials of an account that does not exist"
    sandbox.change(accounts=["admin", "deploy", "read"])  # as after the Helm stack
    assert server.run("refresh-credentials").code == 0
    for role in ("admin", "deploy", "read"):
        document = json.loads(sandbox.secret(f"credentials/{role}") or "")
        assert document["apiVersion"] == "client.authentication.k8s.io/v1"
        assert document["kind"] == "ExecCredential"
        assert document["status"]["token"] in sandbox.state["tokens"]
        left = datetime.fromisoformat(document["status"]["expirationTimestamp"]) - datetime.now(UTC)
        assert timedelta(hours=11) < left <= timedelta(hours=12), left
        assert server.calls(f"create token {role} --namespace kube-system --duration 12h")


def test_where_the_ca_is_published_credentials_are_stored(sandbox: Sandbox) -> None:
    """Terraform's Helm stack waits for the CA alone, and needs both."""
    refused = "An error occurred (AccessDeniedException) when calling the PutSecretValue operation: not authorized"
    sandbox.change(
        aws_failures=[[f"put-secret-value --secret-id {sandbox.inputs.credentials_secret_prefix}", 999, refused]]
    )
    server = sandbox.server(0)
    result = server.boot()
    assert result.code == 1, result.log
    assert sandbox.ca() == "pending", "the cluster looks as if it could be used"
    sandbox.change(aws_failures=[])
    assert server.boot().code == 0
    assert sandbox.ca() != "pending"
    assert sandbox.secret("credentials/admin")


def test_nodes_make_the_administrator_only(sandbox: Sandbox) -> None:
    """Accounts and rights of the other roles belong to the Helm stack: two owners of one object fight."""
    assert sandbox.server(0).boot().code == 0
    account, binding = yaml.safe_load_all(sandbox.state["applied"][-1])
    assert (account["kind"], account["metadata"]) == ("ServiceAccount", {"name": "admin", "namespace": "kube-system"})
    assert binding["roleRef"]["name"] == "cluster-admin"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "admin", "namespace": "kube-system"}]


def test_fresh_credentials_are_left_alone_and_stale_ones_replaced(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    assert server.boot().code == 0
    assert not server.calls("create token"), "fresh credentials were replaced"
    state = sandbox.state
    sandbox.change(tokens=[])  # the cluster no longer takes the stored token, as after a restore
    result = server.run("refresh-credentials")
    assert result.code == 0, result.log
    stored = json.loads(sandbox.secret("credentials/admin") or "")
    assert stored["status"]["token"] not in state["tokens"]


def test_the_ready_gate_waits_and_then_opens(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    early = server.run("wait-ready", VET_MAX_ATTEMPTS="2")
    assert early.code == 1, early.log
    assert server.boot().code == 0
    result = server.run("wait-ready")
    assert result.code == 0, result.log
    sandbox.client("ssm").put_parameter(Name=sandbox.inputs.ca_parameter, Value="pending", Overwrite=True)
    assert server.run("wait-ready", VET_MAX_ATTEMPTS="2").code == 1, "the gate opened without the CA"
