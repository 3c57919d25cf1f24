"""Further volumes grow to what the settings say, those of this environment alone, after a person has agreed, and never shrink."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

os.environ.setdefault(
    "MOTO_AMIS_PATH", "operations/devtools/emulator/images.json"
)  # read by moto's import; its own list takes seconds

from botocore.exceptions import ClientError
from moto import mock_aws

from operations.cluster import grow_volumes
from operations.cluster.grow_volumes import Growing
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from settings import load
from tests.changes import POOL, one_environment


class Fleet:
    """Machines with further volumes."""

    def __init__(self) -> None:
        self.ec2 = boto3.client("ec2", region_name="us-east-1")
        self.image = self.ec2.describe_images()["Images"][0]["ImageId"]

    def machine(self, *sizes: int, cluster: str = "vet-dev", pool: str = "reports") -> list[str]:
        """Start a machine of a pool; ids of its further volumes."""
        tags = [{"Key": "vet:cluster", "Value": cluster}, {"Key": "vet:pool", "Value": pool}]
        disks = [
            {"DeviceName": f"/dev/sd{letter}", "Ebs": {"VolumeSize": size}}
            for letter, size in zip("fg", sizes, strict=False)
        ]
        response = self.ec2.run_instances(
            ImageId=self.image,
            MinCount=1,
            MaxCount=1,
            BlockDeviceMappings=disks,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        (instance,) = [each["InstanceId"] for each in response["Instances"]]
        (description,) = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
        return [
            each["Ebs"]["VolumeId"]
            for each in description["BlockDeviceMappings"]
            if each["DeviceName"] in ("/dev/sdf", "/dev/sdg")
        ]

    def size(self, volume: str) -> int:
        """GiB of a volume."""
        return int(self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"])


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """An account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Fleet()


Grow = Callable[..., Growing]


@pytest.fixture
def growing(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grow:
    """The command on dev, whose pool ``reports`` has volumes of these sizes."""

    def make(*sizes: int, auto_approve: bool = True) -> Growing:
        volumes = [{"path": f"/mnt/{number}", "gib": size} for number, size in enumerate(sizes)]
        settings = load(one_environment(tmp_path, {"pools": {"reports": {**POOL, "extra_volumes": volumes}}}))
        monkeypatch.setattr("operations.shared.servers.load", lambda: settings)
        return Growing(Cluster("dev"), auto_approve=auto_approve)

    return make


def test_what_is_too_small_grows_on_every_machine(fleet: Fleet, growing: Grow) -> None:
    volumes = [fleet.machine(20, 30), fleet.machine(20, 30)]
    growing(50, 30).grow()
    assert [[fleet.size(each) for each in machine] for machine in volumes] == [[50, 30], [50, 30]]


def test_nothing_shrinks_and_nobody_is_asked_when_all_is_well(
    fleet: Fleet, growing: Grow, capsys: pytest.CaptureFixture[str]
) -> None:
    (volume,) = fleet.machine(80)
    growing(50, auto_approve=False).grow()
    assert fleet.size(volume) == 80
    assert "as large as the settings say" in capsys.readouterr().out


def test_other_clusters_and_other_pools_are_left_alone(fleet: Fleet, growing: Grow) -> None:
    others = [*fleet.machine(20, cluster="vet-prod"), *fleet.machine(20, pool="batch")]
    growing(50).grow()
    assert [fleet.size(each) for each in others] == [20, 20]


def test_without_a_yes_nothing_grows_and_the_price_was_said(
    fleet: Fleet, growing: Grow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (volume,) = fleet.machine(20)
    asked: list[str] = []
    monkeypatch.setattr(grow_volumes, "agreed", lambda _, question: bool(asked.append(question)))
    with pytest.raises(Failure, match="nothing was changed"):
        growing(120, auto_approve=False).grow()
    assert fleet.size(volume) == 20
    assert asked == ["Grow them, for 8.00 USD a month more?"], "100 GiB of gp3 at 0.08"
    assert "20 → 120" in capsys.readouterr().out


def test_a_machine_from_before_the_volume_was_set_is_named(
    fleet: Fleet, growing: Grow, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.machine()
    growing(20).grow()
    assert "make roll-agents brings it" in capsys.readouterr().out


def test_what_aws_refuses_is_said_with_the_wait(fleet: Fleet, growing: Grow) -> None:
    volumes = [*fleet.machine(20), *fleet.machine(20)]
    command = growing(50)
    real = command.client

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def modify_volume(self, VolumeId: str, Size: int) -> Any:  # noqa: N803 - boto3's own names
            if VolumeId == volumes[1]:
                error = {"Error": {"Code": "VolumeModificationRateExceeded", "Message": "too early"}}
                raise ClientError(error, "ModifyVolume")
            return real.modify_volume(VolumeId=VolumeId, Size=Size)

    command.client = Refusing()
    with pytest.raises(Failure, match="once in six hours"):
        command.grow()
    assert sorted(fleet.size(each) for each in volumes)[0] == 20
