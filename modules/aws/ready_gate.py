"""The gate at the end of an infrastructure apply: the cluster answers, and its credentials are stored."""

import json

from cdktf_cdktf_provider_aws.ssm_association import SsmAssociation
from cdktf_cdktf_provider_aws.ssm_document import SsmDocument
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from modules.aws.servers import Server
from nodes.boot import READY_COMMAND

TIMEOUT_SECONDS = 2700
"""Longest wait. Installing RKE2 and pulling its images takes 5 to 10 minutes; the command itself gives up after about 40."""


class ReadyGate(Construct):
    """An association on server 0 that Terraform waits for. A replaced server is waited for again.

    It runs a document of the environment's own: the nodes fetch no other (``modules/aws/instance_role.py``).

    The provider now and then takes one that was made while its machine initialises for a success at once
    (hashicorp/terraform-provider-aws#31175), so ``operations/deployment/cluster_ready.py`` and the Helm stack look at what it stands for.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str, server: Server) -> None:
        super().__init__(scope, id_)
        step = {
            "action": "aws:runShellScript",
            "name": "ready",
            "inputs": {"timeoutSeconds": str(TIMEOUT_SECONDS), "runCommand": [READY_COMMAND]},
        }
        content = {"schemaVersion": "2.2", "description": "Wait until the cluster answers", "mainSteps": [step]}
        document = SsmDocument(
            self, "document", name=name, document_type="Command", document_format="JSON", content=json.dumps(content)
        )
        SsmAssociation(
            self,
            "Resource",
            name=document.name,
            association_name=name,
            targets=[{"key": "InstanceIds", "values": [server.instance.id]}],
            wait_for_success_timeout_seconds=TIMEOUT_SECONDS,
            lifecycle=lifecycle(replace_with=[f"aws_instance.{server.instance.friendly_unique_id}.id"]),
        )
