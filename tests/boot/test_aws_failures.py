"""AWS says no, or not now: nothing unclear ever counts as "absent" or "empty"."""

import re
from collections.abc import Callable

from tests.boot.sandbox import World

SLOW_DOWN = (
    "An error occurred (SlowDown) when calling the {} operation (reached max retries: 8): Please reduce your rate"
)
DENIED = "An error occurred (AccessDenied) when calling the {} operation: Access Denied"


def _fail(world: World, *failures: tuple[str, int, str]) -> None:
    world.change(aws_failures=[list(failure) for failure in failures])


def test_throttling_of_every_kind_is_waited_out(world: World) -> None:
    server = world.server(0)
    calls = ["get-object", "put-object", "get-secret-value", "put-secret-value", "get-parameter", "put-parameter"]
    _fail(world, *((call, 2, SLOW_DOWN.format(call)) for call in calls))
    result = server.boot()
    assert result.code == 0, result.log
    assert list(world.state["clusters"]) == ["cluster-0"]


def test_a_marker_that_cannot_be_read_is_not_an_absent_one(world: World) -> None:
    world.standing()[0].power_off()
    _fail(world, ("--key marker", 999, DENIED.format("GetObject")))
    result = world.server(0).boot(VET_MAX_ATTEMPTS="3")
    assert result.code not in (0, 78), result.log
    assert "the marker cannot be read" in result.log
    assert result.decisions() == ["wait"], result.log
    assert world.problems() == []


def test_a_marker_that_cannot_be_written_initialises_nothing(world: World) -> None:
    _fail(world, ("put-object", 999, DENIED.format("PutObject")))
    result = world.server(0).boot()
    assert result.code != 0
    assert world.state["clusters"] == {}


def test_winning_is_noticed_although_the_answer_was_lost(world: World) -> None:
    """The object was written, the answer did not arrive: the repeated put is refused by our own marker."""
    server = world.server(0)
    body = f"state=initialising\nvolume={server.volume}\n".encode()
    world.client("s3").put_object(Bucket=world.inputs.nodes_bucket, Key=f"marker/{world.inputs.vpc_id}", Body=body)
    result = server.run("marker", "claim")
    assert result.code == 0, result.log


def test_a_token_that_cannot_be_read_is_never_replaced(world: World) -> None:
    server = world.server(0)
    secrets = world.client("secretsmanager")
    secrets.put_secret_value(SecretId=world.inputs.server_token_secret, SecretString="the-token-of-all-snapshots")
    _fail(world, ("get-secret-value", 999, DENIED.format("GetSecretValue")))
    result = server.boot()
    assert result.code != 0
    assert world.secret("server-token") == "the-token-of-all-snapshots"
    assert not server.calls("put-secret-value")


def test_a_join_token_that_exists_is_kept(world: World) -> None:
    world.client("secretsmanager").put_secret_value(SecretId=world.inputs.server_token_secret, SecretString="kept")
    server = world.server(0)
    result = server.boot()
    assert result.code == 0, result.log
    assert world.secret("server-token") == "kept"
    assert (server.root / "etc/rancher/rke2/token").read_text() == "kept\n"


def test_a_token_that_could_not_be_stored_is_stored_at_the_next_attempt(world: World) -> None:
    world.change(aws_failures=[["put-secret-value", 1, "An error occurred (InternalServiceError): passing"]])
    server = world.server(0)
    result = server.boot()
    assert result.code == 0, result.log
    assert "is still empty" not in result.log, f"went on without having stored the token:\n{result.log}"
    assert (server.root / "etc/rancher/rke2/token").read_text().strip() == world.secret("server-token")


def test_a_warning_of_the_aws_cli_does_not_become_part_of_a_token(world: World) -> None:
    world.client("secretsmanager").put_secret_value(SecretId=world.inputs.server_token_secret, SecretString="kept")
    world.change(aws_warning="DeprecationWarning: this Python is old")
    server = world.server(0)
    result = server.boot()
    assert result.code == 0, result.log
    assert (server.root / "etc/rancher/rke2/token").read_text() == "kept\n"


def test_no_secret_is_in_a_log_or_an_argument(world: World) -> None:
    server = world.server(0)
    result = server.boot()
    secrets = [world.secret(name) or "" for name in ("server-token", "agent-token", "credentials/admin")]
    token = secrets[2].split('"token":"')[1].split('"')[0]
    for value in (*secrets[:2], token):
        assert len(value) > 20
        assert value not in result.log, "a secret is in the log"
        assert not server.calls(value), "a secret was an argument of a command"
    for path in ("token", "agent-token"):
        assert (server.root / "etc/rancher/rke2" / path).stat().st_mode & 0o777 == 0o600


def test_downloads_are_retried(world: World) -> None:
    (world.folder / "internet-fails").write_text("3")
    result = world.server(0).run("install-rke2")
    assert result.code == 0, result.log


def test_a_download_with_another_checksum_is_refused(make_world: Callable[..., World]) -> None:
    world = make_world()
    (world.folder / "internet/kubectl").write_text("not what was pinned")
    server = world.server(0)
    result = server.run("install-rke2")
    assert result.code == 78, result.log
    assert "has the checksum" in result.log
    assert not (server.root / "usr/local/bin/kubectl").exists()


def test_a_list_of_checksums_that_cannot_be_fetched_is_tried_again_and_not_taken_for_tampering(
    make_world: Callable[..., World],
) -> None:
    """RKE2's checksum is not pinned here, so it is fetched; while that fails, a reboot or systemd may still succeed."""
    world = make_world()
    server = world.server(0)
    environment = server.root / "etc/vet/node.env"
    text = re.sub("RKE2_SHA256='[^']*'", "RKE2_SHA256=''", environment.read_text())
    environment.write_text(text)
    sums = world.folder / "internet/sha256sum-amd64.txt"
    content = sums.read_text()
    sums.unlink()
    failed = server.run("install-rke2")
    assert failed.code == 1, f"78 would end it permanently:\n{failed.log}"
    sums.write_text(content)
    assert server.run("install-rke2").code == 0
