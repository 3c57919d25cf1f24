"""The runbooks' commands at home: ``make``, ``aws`` and ``terraform``, by a reader with a repository of their own.

The pages are followed from those that repair to those that destroy; at the end ``dev`` is gone. Each command is run by the operators' role of
the environment that it is about, and what is the account's by its administrator, whom the evaluator of rights watches as well.
"""

import base64
import json
from collections.abc import Callable

from operations.devtools.emulator.known_gaps import Clients
from operations.devtools.emulator.stack import Stack
from settings.names import state_key
from tests.apply.reader import Reader
from tests.apply.running import left_of

STATE_BUCKET = "vet-terraform-state-example"


def server(aws: Clients, slot: int, environment: str = "prod") -> str:
    """Id of the machine in a slot."""
    wanted = [
        {"Name": "tag:Name", "Values": [f"vet-{environment}-server-{slot}"]},
        {"Name": "instance-state-name", "Values": ["running", "stopped"]},
    ]
    (reservation,) = aws("ec2").describe_instances(Filters=wanted)["Reservations"]
    return str(reservation["Instances"][0]["InstanceId"])


def volumes(aws: Clients, environment: str, slot: int) -> list[str]:
    """Data volumes that a slot has or had, the attached one first."""
    wanted = [{"Name": "tag:Name", "Values": [f"vet-{environment}-server-{slot}-data"]}]
    volumes = aws("ec2").describe_volumes(Filters=wanted)["Volumes"]
    return [str(each["VolumeId"]) for each in sorted(volumes, key=lambda each: not each["Attachments"])]


def test_the_commands_that_only_look_work_and_change_nothing(reader: Reader, aws: Clients) -> None:
    # As its servers publish it when they have formed the cluster.
    aws("ssm").put_parameter(Name="/vet-prod/cluster-ca", Value="CA", Type="String", Overwrite=True)
    aws("secretsmanager").put_secret_value(SecretId="vet-prod/credentials/admin", SecretString="{}")
    output = "\n".join(reader.follow("README").values())
    assert "vet-prod: nothing changes" in output
    assert f"{server(aws, 0)}\tvet-prod-server-0" in output
    files = reader.follow("access") | reader.follow("expired-certificates")
    assert all("export KUBECONFIG=" in text for text in files.values()), files
    (addresses,) = reader.follow("rancher", {"Values=ENV": "Values=prod"}).values()
    own = aws("ec2").describe_addresses(Filters=[{"Name": "tag:Environment", "Values": ["prod"]}])["Addresses"]
    assert set(json.loads(addresses)) == {each["PublicIp"] for each in own}, "the NAT gateways' own addresses"


def test_the_account_and_its_roles(reader: Reader) -> None:
    outputs = reader.follow("github-actions")
    assert "vet-state: nothing changes" in outputs["make state"]


def test_a_lost_and_a_broken_state(reader: Reader, aws: Clients) -> None:
    stack, key = "vet-prod", state_key("vet-prod")
    s3, volume = aws("s3"), reader.resource("vet-prod", "aws_ebs_volume", "slot_1")
    version = s3.head_object(Bucket=STATE_BUCKET, Key=key)["VersionId"]
    s3.delete_object(Bucket=STATE_BUCKET, Key=key)
    lock = {"ID": "4403cee0-1be5-59c6-2dd2-f7912b7376ea", "Operation": "OperationTypeApply", "Info": "", "Who": "it"}
    lock |= {"Version": "1.11.0", "Created": "2026-01-01T00:00:00Z", "Path": f"{STATE_BUCKET}/{key}"}

    def forget_the_volume() -> str:
        reader.run(f"terraform -chdir=cdktf.out/stacks/{stack} state rm {volume['address']}")
        return str(volume["address"])

    def leave_locked() -> str:
        s3.put_object(Bucket=STATE_BUCKET, Key=f"{key}.tflock", Body=json.dumps(lock))
        return lock["ID"]

    outputs = reader.follow(
        "lost-state-file",
        {
            "VERSION=id": f"VERSION={version}",
            "ADDRESS ID": lambda: f"{forget_the_volume()} {volume['values']['id']}",
            "LOCK-ID": leave_locked,
        },
    )
    assert "the deletion of vet-prod/terraform.tfstate is taken back" in outputs["make recover-state ENV=prod"]
    assert "vet-prod: nothing changes" in reader.run("make plan ENV=prod").stdout


def test_a_server_that_is_gone_is_made_anew_with_its_address_and_volume(reader: Reader, aws: Clients) -> None:
    ec2, gone = aws("ec2"), server(aws, 1)
    before = ec2.describe_instances(InstanceIds=[gone])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    (volume,) = volumes(aws, "prod", 1)

    def lose() -> str:  # as a machine whose host has failed; nobody may ask AWS for it
        ec2.modify_instance_attribute(InstanceId=gone, DisableApiTermination={"Value": False})
        ec2.terminate_instances(InstanceIds=[gone])
        return "make deploy"

    outputs = reader.follow("lost-server", {"i-...": gone, "make deploy": lose}, ends={"make deploy ENV=prod": 2})
    assert "make push ENV=prod" in outputs["make deploy ENV=prod"], "it stopped before the image, which is missing here"
    instance = ec2.describe_instances(InstanceIds=[server(aws, 1)])["Reservations"][0]["Instances"][0]
    assert instance["InstanceId"] != gone
    assert instance["PrivateIpAddress"] == before
    attached = [each["Ebs"]["VolumeId"] for each in instance["BlockDeviceMappings"] if "Ebs" in each]
    assert volume in attached, f"not with its volume {volume}, but {attached}"


def test_agents_come_and_go(reader: Reader, aws: Clients) -> None:
    scaling = aws("autoscaling")
    group = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    name, agent = group["AutoScalingGroupName"], group["Instances"][0]["InstanceId"]
    outputs = reader.follow(
        "adding-agents",
        {"NAME": name, "i-...": agent},
    )
    assert name in next(iter(outputs.values()))
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    assert group["DesiredCapacity"] == 1
    assert agent not in [each["InstanceId"] for each in group["Instances"]]


def test_another_instance_type_is_brought_to_the_servers(reader: Reader, aws: Clients) -> None:
    ec2, old = aws("ec2"), server(aws, 2)
    ec2.stop_instances(InstanceIds=[old])
    ec2.modify_instance_attribute(InstanceId=old, InstanceType={"Value": "t3.medium"})
    ec2.start_instances(InstanceIds=[old])
    output = reader.follow("changing-instance-types")["make roll-servers ENV=prod"]
    assert "type t3.medium becomes t3.large" in output
    assert "1 server(s) replaced" in output
    instance = ec2.describe_instances(InstanceIds=[server(aws, 2)])["Reservations"][0]["Instances"][0]
    assert (instance["InstanceType"], instance["InstanceId"] != old) == ("t3.large", True)


def test_token_snapshots_and_backups_are_had_back_from_elsewhere(reader: Reader, aws: Clients) -> None:
    aws("secretsmanager").put_secret_value(SecretId="vet-prod/server-token", SecretString="the token")
    aws("s3").create_bucket(Bucket="elsewhere")
    aws("s3").put_object(Bucket="vet-prod-snapshots-123456789012-us-east-1", Key="vet-prod/snapshot", Body=b"snapshot")
    outputs = reader.follow(
        "lost-region",
        {"OTHER": "eu-west-1", "BUCKET-ELSEWHERE": "elsewhere", "ACCOUNT-REGION": "123456789012-us-east-1"}
        | {"rm old-token": "cat old-token && rm old-token"},
    )
    assert outputs["rm old-token"].strip() == "the token"
    aws("s3").put_object(Bucket="elsewhere", Key="database/base", Body=b"backup")
    reader.follow(
        "lost-data",
        {"BUCKET-ELSEWHERE": "elsewhere", "ACCOUNT-NEWREGION": "123456789012-us-east-1"},
    )
    assert aws("s3").head_object(Bucket="vet-prod-database-123456789012-us-east-1", Key="database/base")
    assert aws("s3").head_object(Bucket="elsewhere", Key="vet-prod/snapshot")


def test_volumes_are_replaced_and_restored(reader: Reader, aws: Clients) -> None:
    ec2, old = aws("ec2"), {name: volumes(aws, name, slot) for name, slot in (("prod", 2), ("dev", 0))}
    assert {len(each) for each in old.values()} == {1}
    tags = [{"Key": "Name", "Value": "vet-dev-server-0-data"}]
    given = [{"ResourceType": "snapshot", "Tags": tags}]
    snapshot = ec2.create_snapshot(VolumeId=old["dev"][0], TagSpecifications=given)["SnapshotId"]
    values: dict[str, str | Callable[[], str]] = {
        "i-...": server(aws, 2),
        "vet-prod state rm VOLUME": lambda: f"vet-prod state rm {address('aws_ebs_volume', 'vet-prod', 'slot_2')}",
        "-prod apply -replace=INSTANCE": lambda: (
            f"-prod apply -replace={address('aws_instance', 'vet-prod', 'slot_2')}"
        ),
    }

    def address(kind: str, stack: str = "vet-dev", slot: str = "slot_0") -> str:
        return str(reader.resource(stack, kind, slot)["address"])

    def all_volumes() -> set[str]:
        return {str(each["VolumeId"]) for each in ec2.describe_volumes()["Volumes"]}

    known: set[str] = set()

    def remember() -> str:
        known.update(all_volumes())
        return str(snapshot)

    def restored() -> str:
        (volume,) = all_volumes() - known
        return volume

    zone = ec2.describe_volumes(VolumeIds=old["dev"])["Volumes"][0]["AvailabilityZone"]
    forgotten: list[str] = []

    def forget() -> str:
        forgotten.append(address("aws_ebs_volume"))
        return f"vet-dev state rm {forgotten[0]}"

    values |= {
        "vet-dev state show VOLUME": lambda: f"vet-dev state show {address('aws_ebs_volume')}",
        "snap-...": remember,
        "ZONE": zone,
        "volume-ids vol-...": lambda: f"volume-ids {restored()}",
        "vet-dev state rm VOLUME": forget,
        "import VOLUME vol-...": lambda: f"import {forgotten[0]} {restored()}",
        "vet-dev apply -replace=INSTANCE": lambda: f"vet-dev apply -replace={address('aws_instance')}",
    }
    outputs = reader.follow("restoring-a-volume", values)
    listed = next(text for command, text in outputs.items() if "describe-snapshots" in command)
    assert snapshot in listed
    assert volumes(aws, "prod", 2)[0] not in old["prod"], "server 2 has its old volume"
    assert volumes(aws, "dev", 0)[0] in all_volumes() - known, "server 0 of dev has not the copy"
    for environment, slot in (("prod", 2), ("dev", 0)):
        asked = {"InstanceId": server(aws, slot, environment), "Attribute": "userData"}
        text = base64.b64decode(ec2.describe_instance_attribute(**asked)["UserData"]["Value"]).decode()
        assert volumes(aws, environment, slot)[0] in text, f"server {slot} of {environment} looks for another volume"
    assert "vet-dev: nothing changes" in reader.run("make plan ENV=dev").stdout
    ec2.delete_volume(VolumeId=old["dev"][0])  # which nothing knows of any more


def test_destroying_an_environment_leaves_nothing(reader: Reader, stacks: dict[str, Stack], aws: Clients) -> None:
    volume, key = aws("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"], state_key("vet-dev-helm")
    release = {"mode": "managed", "type": "helm_release", "name": "rancher", "instances": [{"attributes": {"id": "x"}}]}
    release["provider"] = 'provider["registry.terraform.io/hashicorp/helm"]'
    state = {"version": 4, "serial": 99, "lineage": "test", "outputs": {}, "resources": [release]}

    def remember_releases() -> str:  # of a cluster that is gone
        aws("s3").put_object(Bucket=STATE_BUCKET, Key=key, Body=json.dumps(state))
        return "vet-dev-helm init"

    outputs = reader.follow(
        "destroying-an-environment", {"vol-...": volume, "vet-dev-helm init": remember_releases, "OTHER": "eu-west-1"}
    )
    forgotten = next(text for command, text in outputs.items() if "xargs" in command)
    assert "Removed helm_release.rancher" in forgotten
    assert "arn:aws:ec2" in "\n".join(outputs.values()), "nothing carries the tag of prod's cluster"
    assert stacks["vet-dev"].state() == []
    left = left_of("dev", aws)
    assert not left, f"left behind: {left}"
