"""Volumes that were made before snapshots were on get their tag by the commands of the runbook, and then the policy finds them."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from operations.shared.stack_json import Document
from tests.runbooks import commands

CLAIM = "kubernetes.io/created-for/pvc/name"
OWN = "kubernetes.io/cluster/vet-prod"


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _aws(line: str, endpoint: str) -> str:
    aws = Path(sys.executable).with_name("aws")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": endpoint, "AWS_PAGER": ""}
    arguments = [str(aws), *shlex.split(line.replace("\\\n", " "))[1:]]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_volume_of_a_pod_gets_the_tag_that_the_policy_looks_for(
    endpoint: str, documents: Mapping[str, Document]
) -> None:
    ec2 = boto3.client(
        "ec2", "us-east-1", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test"
    )

    def volume(**tags: str) -> str:
        tag_list = [{"Key": key, "Value": value} for key, value in tags.items()]
        response = ec2.create_volume(
            AvailabilityZone="us-east-1a", Size=5, TagSpecifications=[{"ResourceType": "volume", "Tags": tag_list}]
        )
        return str(response["VolumeId"])

    wanted = volume(**{OWN: "owned", CLAIM: "database-1"})
    volume(**{OWN: "owned"})
    volume(**{"kubernetes.io/cluster/vet-dev": "owned", CLAIM: "database-1"})
    look, tag = (each for each in commands("restoring-a-volume") if "describe-volumes" in each or "create-tags" in each)
    assert _aws(look, endpoint).split() == [wanted]
    _aws(tag.replace("vol-...", wanted), endpoint)
    (policy,) = documents["vet-prod"].all("aws_dlm_lifecycle_policy")
    ((key, value),) = policy.get("policy_details")["target_tags"].items()
    volumes = ec2.describe_volumes(Filters=[{"Name": f"tag:{key}", "Values": [value]}])["Volumes"]
    assert [each["VolumeId"] for each in volumes] == [wanted], "no other volume is in the snapshots"
