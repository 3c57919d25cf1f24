"""The nodes of the deployed ``dev``: its own user data in the sandbox of the boot tests, signing as the roles that AWS would give the instances."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nodes.inputs import ClusterInputs
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import clients
from tests.boot.machine import Machine, stand_in_program
from tests.boot.sandbox import Sandbox
from tests.cluster_inputs import COMMON, DOCUMENTED


class Signing(Machine):
    """A machine that calls AWS with its instance profile's rights and no other."""

    credentials: Mapping[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The sandbox's, signing as the role."""
        return super().environment | dict(self.credentials)


@dataclass
class Deployed(Sandbox):
    """The sandbox of the boot tests on what Terraform has made: buckets, secrets and parameters are the environment's."""

    account: Account = field(kw_only=True)
    variables: Mapping[str, str] = field(kw_only=True)
    """What a server's user data tells it, by name."""

    logs: dict[str, str] = field(default_factory=dict)
    """What programs said, by what ran."""

    @cached_property
    def inputs(self) -> ClusterInputs:
        """What the sandbox looks things up by: what the nodes were told."""
        variables = self.variables
        names = {
            name: variables[name.upper()] for name in ClusterInputs.__dataclass_fields__ if name.upper() in variables
        }
        return ClusterInputs(**COMMON, **names, account_id="")

    def machine(self, user_data: str, address: str, role: str, volume: str | None = None) -> Signing:
        """A machine with an instance's user data, but for the checksums of two programs that have stand-ins, and the load balancer, whose
        part the sandbox plays."""
        user_data = user_data.replace(self.variables["API_HOST"], "api.test")
        pinned = {name: getattr(DOCUMENTED, f"{name}_sha256") for name in ("kubectl", "ecr_provider")}
        for name, digest in pinned.items():
            user_data = user_data.replace(digest, hashlib.sha256(stand_in_program(name)).hexdigest())
        machine = Signing(self, address, user_data, volume)
        keys = self.account.taking(role)
        machine.credentials = {
            name: keys[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        }
        return machine

    def client(self, service: str) -> Any:
        """The account's administrator's."""
        return clients(self.account.emulator.environment)(service)

    def _create_in_aws(self) -> None:
        """Terraform has."""


def variables(user_data: str) -> dict[str, str]:
    """``/etc/vet/node.env`` of a node."""
    return dict(re.findall(r"^\s*([A-Z0-9_]+)='(.*)'$", user_data, re.MULTILINE))


def server_user_data(account: Account, environment: str) -> str:
    """User data of server 0 as EC2 has it."""
    ec2 = clients(account.emulator.environment)("ec2")
    wanted = {"tag:vet:cluster": f"vet-{environment}", "tag:vet:slot": "0", "instance-state-name": "running"}
    filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
    (machine,) = ec2.describe_instances(Filters=filters)["Reservations"][0]["Instances"]
    asked = ec2.describe_instance_attribute(InstanceId=machine["InstanceId"], Attribute="userData")
    return base64.b64decode(asked["UserData"]["Value"]).decode()


def agent_user_data(account: Account, environment: str) -> str:
    """User data of the agents, from their launch template's newest version."""
    ec2 = clients(account.emulator.environment)("ec2")
    response = ec2.describe_launch_templates(Filters=[{"Name": "tag:Environment", "Values": [environment]}])
    (template,) = response["LaunchTemplates"]
    (version,) = ec2.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    return base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()
