"""The gate at the end of an infrastructure apply: the cluster answers, and its credentials are stored."""

from cdktf_cdktf_provider_aws.ssm_association import SsmAssociation
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from modules.aws.servers import Server

READY_PROGRAM = "/opt/vet/bin/ready"
"""Program of the bundle that ends well once the API answers and the credentials and the CA are stored."""

TIMEOUT_SECONDS = 1800
"""Longest wait: installing RKE2 and pulling its images takes 5 to 10 minutes."""

SCRIPT = f"until test -x {READY_PROGRAM}; do sleep 5; done; exec {READY_PROGRAM}"


class ReadyGate(Construct):
    """A Run Command association on server 0 that Terraform waits for. A replaced server is waited for anew."""

    def __init__(self, scope: Construct, id_: str, *, name: str, server: Server) -> None:
        super().__init__(scope, id_)
        SsmAssociation(
            self,
            "Resource",
            name="AWS-RunShellScript",
            association_name=name,
            targets=[{"key": "InstanceIds", "values": [server.instance.id]}],
            parameters={"commands": SCRIPT, "executionTimeout": str(TIMEOUT_SECONDS)},
            wait_for_success_timeout_seconds=TIMEOUT_SECONDS,
            lifecycle=lifecycle(replace_with=[f"aws_instance.{server.instance.friendly_unique_id}.id"]),
        )
