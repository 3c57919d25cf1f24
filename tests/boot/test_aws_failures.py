"""AWS says no, or not now: nothing unclear ever counts as "absent" or "empty"."""

import re
from collections.abc import Callable

from tests.boot.sandbox import Sandbox

SLOW_DOWN = (
    "An error occurred (SlowDown) when calling the {} operation (reached max retries: 8): Please reduce your rate"
)
DENIED = "An error occurred (AccessDenied) when calling the {} operation: Access Denied"


def _fail(sandbox: Sandbox, *failures: tuple[str, int, str]) -> None:
    sandbox.change(aws_failures=[list(failure) for failure in failures])


def test_throttling_of_every_kind_is_waited_out(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    calls = ["get-object", "put-object", "get-secret-value", "put-secret-value", "get-parameter", "put-parameter"]
    _fail(sandbox, *((call, 2, SLOW_DOWN.format(call)) for call in calls))
    result = server.boot()
    assert result.code == 0, result.log
    assert list(sandbox.state["clusters"]) == ["cluster-0"]


def test_a_marker_that_cannot_be_read_is_not_an_absent_one(sandbox: Sandbox) -> None:
    sandbox.running_cluster()[0].power_off()
    _fail(sandbox, ("--key marker", 999, DENIED.format("GetObject")))
    result = sandbox.server(0).boot(VET_MAX_ATTEMPTS="3")
    assert result.code not in (0, 78), result.log
    assert "the marker cannot be read" in result.log
    assert result.decisions() == ["wait"], result.log
    assert sandbox.problems() == []


def test_a_marker_that_cannot_be_written_initialises_nothing(sandbox: Sandbox) -> None:
    _fail(sandbox, ("put-object", 999, DENIED.format("PutObject")))
    result = sandbox.server(0).boot()
    assert result.code != 0
    assert sandbox.state["clusters"] == {}


def test_winning_is_noticed_although_the_answer_was_lost(sandbox: Sandbox) -> None:
    """The object was written, the answer did not arrive: the repeated put is refused by our own marker."""
    server = sandbox.server(0)
    body = f"state=initialising\nvolume={server.volume}\n".encode()
    sandbox.client("s3").put_object(
        Bucket=sandbox.inputs.nodes_bucket, Key=f"marker/{sandbox.inputs.vpc_id}", Body=body
    )
    result = server.run("marker", "claim")
    assert result.code == 0, result.log


def test_a_token_that_cannot_be_read_is_never_replaced(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    secrets = sandbox.client("secretsmanager")
    secrets.put_secret_value(SecretId=sandbox.inputs.server_token_secret, SecretString="the-token-of-all-snapshots")
    _fail(sandbox, ("get-secret-value", 999, DENIED.format("GetSecretValue")))
    result = server.boot()
    assert result.code != 0
    assert sandbox.secret("server-token") == "the-token-of-all-snapshots"
    assert not server.calls("put-secret-value")


def test_a_join_token_that_exists_is_kept(sandbox: Sandbox) -> None:
    sandbox.client("secretsmanager").put_secret_value(SecretId=sandbox.inputs.server_token_secret, SecretString="kept")
    server = sandbox.server(0)
    result = server.boot()
    assert result.code == 0, result.log
    assert sandbox.secret("server-token") == "kept"
    assert (server.root / "etc/rancher/rke2/token").read_text() == "kept\n"


def test_a_token_that_could_not_be_stored_is_stored_at_the_next_attempt(sandbox: Sandbox) -> None:
    sandbox.change(aws_failures=[["put-secret-value", 1, "An error occurred (InternalServiceError): passing"]])
    server = sandbox.server(0)
    result = server.boot()
    assert result.code == 0, result.log
    assert "is still empty" not in result.log, f"went on without having stored the token:\n{result.log}"
    assert (server.root / "etc/rancher/rke2/token").read_text().strip() == sandbox.secret("server-token")


def test_a_warning_of_the_aws_cli_does_not_become_part_of_a_token(sandbox: Sandbox) -> None:
    sandbox.client("secretsmanager").put_secret_value(SecretId=sandbox.inputs.server_token_secret, SecretString="kept")
    sandbox.change(aws_warning="DeprecationWarning: this Python is old")
    server = sandbox.server(0)
    result = server.boot()
    assert result.code == 0, result.log
    assert (server.root / "etc/rancher/rke2/token").read_text() == "kept\n"


def test_no_secret_is_in_a_log_or_an_argument(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    result = server.boot()
    secrets = [sandbox.secret(name) or "" for name in ("server-token", "agent-token", "credentials/admin")]
    token = secrets[2].split('"token":"')[1].split('"')[0]
    for value in (*secrets[:2], token):
        assert len(value) > 20
        assert value not in result.log, "a secret is in the log"
        assert not server.calls(value), "a secret was an argument of a command"
    for path in ("token", "agent-token"):
        assert (server.root / "etc/rancher/rke2" / path).stat().st_mode & 0o777 == 0o600


def test_downloads_are_retried(sandbox: Sandbox) -> None:
    (sandbox.folder / "internet-fails").write_text("3")
    result = sandbox.server(0).run("install-rke2")
    assert result.code == 0, result.log


def test_a_download_with_another_checksum_is_refused(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox()
    (sandbox.folder / "internet/kubectl").write_text("not what was pinned")
    server = sandbox.server(0)
    result = server.run("install-rke2")
    assert result.code == 78, result.log
    assert "has the checksum" in result.log
    assert not (server.root / "usr/local/bin/kubectl").exists()


def test_a_list_of_checksums_that_cannot_be_fetched_is_tried_again_and_not_taken_for_tampering(
    make_sandbox: Callable[..., Sandbox],
) -> None:
    """RKE2's checksum is not pinned here, so it is fetched; while that fails, a reboot or systemd may still succeed."""
    sandbox = make_sandbox()
    server = sandbox.server(0)
    environment = server.root / "etc/vet/node.env"
    text = re.sub("RKE2_SHA256='[^']*'", "RKE2_SHA256=''", environment.read_text())
    environment.write_text(text)
    sums = sandbox.folder / "internet/sha256sum-amd64.txt"
    content = sums.read_text()
    sums.unlink()
    failed = server.run("install-rke2")
    assert failed.code == 1, f"78 would end it permanently:\n{failed.log}"
    sums.write_text(content)
    assert server.run("install-rke2").code == 0
