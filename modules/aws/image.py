"""The Amazon Machine Image that nodes start from."""

from cdktf_cdktf_provider_aws.data_aws_ami import DataAwsAmi, DataAwsAmiFilter
from constructs import Construct

from settings.instance_types import X86_64
from settings.nodes import Image


def machine_image(scope: Construct, id_: str, image: Image) -> str:
    """Id of the image: the pinned one, or the newest that its owner publishes under the name pattern."""
    if image.ami_id is not None:
        return image.ami_id
    return newest_image(scope, id_, image, X86_64)


def newest_image(scope: Construct, id_: str, image: Image, architecture: str) -> str:
    """Id of the newest image for an architecture that its owner publishes under the name pattern; of another one than x86-64, under the
    same name with that architecture in it (Canonical's names end with ``amd64`` or ``arm64``)."""
    name = image.name if architecture == X86_64 else image.name.replace("amd64", architecture)
    newest = DataAwsAmi(
        scope,
        id_,
        most_recent=True,
        owners=[image.owner],
        filter=[
            DataAwsAmiFilter(name="name", values=[name]),
            DataAwsAmiFilter(name="architecture", values=[architecture]),
            DataAwsAmiFilter(name="virtualization-type", values=["hvm"]),
            DataAwsAmiFilter(name="root-device-type", values=["ebs"]),
        ],
    )
    return newest.id
