"""What a server has and what its synthesised stack would give it: the reasons to replace it."""

import base64
import re
from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from operations.shared.servers import Cluster, Server
from operations.shared.stack_json import Document
from settings.upgrades import follows

VERSION = re.compile(r"RKE2_VERSION='?([^'\s\\]+)")
"""What user data says of the RKE2 that a server installs."""


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
    changes = []
    if server.instance_type != wanted["instance_type"]:
        changes.append(f"type {server.instance_type} becomes {wanted['instance_type']}")
    image = _image(cluster)
    if server.image != image:
        changes.append(f"image {server.image} becomes {image}")
    if server.key_name != cluster.names.key_pair:
        changes.append(f"SSH key pair {server.key_name or '(none)'} becomes {cluster.names.key_pair or '(none)'}")
    if not _pattern(wanted["user_data"]).fullmatch(_user_data(cluster, server)):
        changes.append("programs or configuration are newer")
    return changes


def refuse_skipped_minors(
    cluster: Cluster, servers: Sequence[Server], wanted: Mapping[int, Mapping[str, str]], *, back: bool = False
) -> None:
    """Stop where a new server would have another minor of Kubernetes than the next one of a server that is there.

    :param back: whether the former minor is wanted, whose snapshot was restored.

    Raises:
        Failure: naming both versions; or a server does not say which it has.
    """
    for server in (each for each in servers if each.slot in wanted):
        has, gets = (VERSION.search(text) for text in (_user_data(cluster, server), wanted[server.slot]["user_data"]))
        if not has or not gets:
            raise Failure(
                f"server {server.slot}: its user data does not say which RKE2 it has, so it is not known whether another may follow. "
                "No server was touched"
            )
        if not follows(has[1], gets[1]) and not (back and follows(gets[1], has[1])):
            raise Failure(
                f"server {server.slot} runs RKE2 {has[1]}, and its successor would be {gets[1]}: not the same minor of Kubernetes, nor the next "
                f"one, and etcd's data would be the other's. No server was touched.\nPut the former cluster.versions or release_set back, and let "
                f"make upgrade ENV={cluster.environment.name} take the steps (docs/runbooks/upgrading.md)"
            )


def _image(cluster: Cluster) -> str:
    image = cluster.environment.image
    if image.ami_id:
        return image.ami_id
    wanted = [{"Name": "name", "Values": [image.name]}, {"Name": "architecture", "Values": ["x86_64"]}]
    try:
        images = cluster.client("ec2").describe_images(Owners=[image.owner], Filters=wanted)["Images"]
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"cannot find the newest image {image.name}: {error}") from error
    if not images:
        raise Failure(f"no image of {image.owner} is called {image.name} (image.name in environments/)")
    return str(max(images, key=lambda one: one["CreationDate"])["ImageId"])


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
