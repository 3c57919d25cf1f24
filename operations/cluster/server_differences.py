"""What a server has and what its synthesised stack would give it: the reasons to replace it."""

import base64
import re
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from operations.shared.servers import Cluster, Server
from operations.shared.stack_json import Document


def wanted_servers(document: Document) -> dict[int, dict[str, str]]:
    """Servers of a synthesised stack by slot: Terraform address, type and user data."""
    instances = document.content["resource"]["aws_instance"].items()
    return {
        int(instance["tags"]["vet:slot"]): {"address": f"aws_instance.{name}", **instance}
        for name, instance in instances
        if "vet:slot" in instance.get("tags", {})
    }


def differences(cluster: Cluster, server: Server, wanted: Mapping[str, str]) -> list[str]:
    """Why a server is to be replaced: what a new one would have that it has not.

    :param wanted: its arguments in the synthesised stack.

    Raises:
        Failure: The server's user data or the newest image cannot be read from AWS.
    """
    found = []
    if server.instance_type != wanted["instance_type"]:
        found.append(f"type {server.instance_type} becomes {wanted['instance_type']}")
    image = _image(cluster)
    if server.image != image:
        found.append(f"image {server.image} becomes {image}")
    if server.key_name != cluster.names.key_pair:
        found.append(f"SSH key pair {server.key_name or '(none)'} becomes {cluster.names.key_pair or '(none)'}")
    if not _pattern(wanted["user_data"]).fullmatch(_user_data(cluster, server)):
        found.append("programs or configuration are newer")
    return found


def _image(cluster: Cluster) -> str:
    image = cluster.environment.image
    if image.ami_id:
        return image.ami_id
    wanted = [{"Name": "name", "Values": [image.name]}, {"Name": "architecture", "Values": ["x86_64"]}]
    try:
        found = cluster.client("ec2").describe_images(Owners=[image.owner], Filters=wanted)["Images"]
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"cannot find the newest image {image.name}: {error}") from error
    if not found:
        raise Failure(f"no image of {image.owner} is called {image.name} (image.name in environments/)")
    return str(max(found, key=lambda one: one["CreationDate"])["ImageId"])


def _user_data(cluster: Cluster, server: Server) -> str:
    try:
        answer = cluster.client("ec2").describe_instance_attribute(InstanceId=server.instance, Attribute="userData")
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"cannot read the user data of {server.instance}: {error}") from error
    return base64.b64decode(answer["UserData"].get("Value", "")).decode()


def _pattern(text: str) -> re.Pattern[str]:
    """Matches the text with any value in place of Terraform's references.

    The text itself is compared, not a tag with its checksum: an apply changes the tags of a server that runs, and leaves its user data to the roll.
    """
    parts = re.split(r"\$\{[^}]*\}", text)
    return re.compile("[^'\"\\s]*".join(re.escape(part) for part in parts))
