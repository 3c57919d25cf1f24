"""The Amazon Machine Image that nodes start from."""

from cdktf_cdktf_provider_aws.data_aws_ami import DataAwsAmi, DataAwsAmiFilter
from constructs import Construct

from settings.nodes import Image


def machine_image(scope: Construct, id_: str, image: Image) -> str:
    """Id of the image: the pinned one, or the newest that its owner publishes under the name pattern."""
    if image.pin is not None:
        return image.pin
    newest = DataAwsAmi(
        scope,
        id_,
        most_recent=True,
        owners=[image.owner],
        filter=[
            DataAwsAmiFilter(name="name", values=[image.name]),
            DataAwsAmiFilter(name="architecture", values=["x86_64"]),
            DataAwsAmiFilter(name="virtualization-type", values=["hvm"]),
            DataAwsAmiFilter(name="root-device-type", values=["ebs"]),
        ],
    )
    return newest.id
