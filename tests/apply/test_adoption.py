"""The state bucket is deleted with all its versions: what else there is in the account is taken over, and nothing is made twice."""

import subprocess
from collections.abc import Iterator

import pytest

from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.shared.errors import Failure
from settings import Settings
from settings.names import STATE_STACK, replica_bucket, state_key
from tests.apply import identities
from tests.apply.conftest import account_or_skip
from tests.apply.reader import shell
from tests.runbooks import commands


@pytest.fixture(scope="module")
def ours(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of these tests alone, after ``make state``: the others share one, and need its state."""
    with account_or_skip(tmp_path_factory.mktemp("adoption"), settings) as account:
        identities.make(account, identities.ADMINISTRATOR, "AdministratorAccess")
        account.make_state()
        yield account


@pytest.fixture(scope="module")
def administrator(ours: Account) -> dict[str, str]:
    """Who takes over: the account's administrator, whose every call the evaluator of rights must know."""
    return ours.taking(identities.ADMINISTRATOR)


@pytest.fixture
def here(ours: Account) -> Clients:
    """Clients of that account."""
    return clients(ours.emulator.environment)


def _known(aws: Clients) -> dict[str, list[str]]:
    zones, keys = aws("route53").list_hosted_zones()["HostedZones"], aws("kms").list_aliases()["Aliases"]
    return {
        "zones": sorted(zone["Id"] for zone in zones),
        "keys": sorted(alias["TargetKeyId"] for alias in keys if alias["AliasName"] == "alias/vet-state"),
    }


def _empty(aws: Clients, bucket: str) -> None:
    listed = aws("s3").list_object_versions(Bucket=bucket)
    for version in listed.get("Versions", []) + listed.get("DeleteMarkers", []):
        aws("s3").delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def test_a_state_bucket_without_its_state_is_taken_over(
    ours: Account, here: Clients, settings: Settings, administrator: dict[str, str]
) -> None:
    _empty(here, settings.project.state_bucket)
    with pytest.raises(Failure, match="but not the state that describes it"):
        ours.make_state()
    again = ours.make_state("--adopt", environment=administrator)
    assert "14 imported, 0 added" in again, again
    assert "vet-state: nothing changes" in ours.make_state()


def test_a_lost_state_bucket_is_made_again_and_the_rest_is_taken_over(
    ours: Account, here: Clients, settings: Settings, administrator: dict[str, str]
) -> None:
    before, lost = _known(here), settings.project.state_bucket
    assert len(before["zones"]) == 2, before
    replica = replica_bucket(settings.project)
    here("s3").create_bucket(Bucket=replica)
    for name in ("vet-state", "vet-prod"):
        here("s3").put_object(Bucket=replica, Key=state_key(name), Body=f"the old state of {name}")
    _empty(here, lost)
    here("s3").delete_bucket(Bucket=lost)
    with pytest.raises(Failure, match=r"no state knows them(?s:.*)aws_route53_zone(?s:.*)make state ADOPT=yes"):
        ours.make_state()
    assert _known(here) == before, "something was made although it exists"
    again = ours.make_state("--adopt", environment=administrator)
    assert "7 imported" in again, again
    assert _known(here) == before, "something was made although it exists"
    assert not ours.stack(STATE_STACK).unexpected_changes(), "what was taken over is not as the stack wants it"
    _copied_back(ours, lost)
    assert here("s3").get_object(Bucket=lost, Key=state_key("vet-prod"))["Body"].read() == b"the old state of vet-prod"
    assert "vet-state: nothing changes" in ours.make_state(), "the copy must leave the new state of vet-state alone"


def _copied_back(ours: Account, bucket: str) -> None:
    """The page's own command, for this bucket."""
    (command,) = [each for each in commands("lost-state-file") if each.startswith("aws s3 cp")]
    command = command.replace("STATE-BUCKET", bucket)
    done = subprocess.run(["sh", "-c", command], env=shell(ours.emulator), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
