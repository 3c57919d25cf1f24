"""The IAM role of a kind of node."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from modules.aws.policy import Statement, policy, trust
from settings.names import Names

AGENT = (
    "ssm:UpdateInstanceInformation",
    "ssm:ListInstanceAssociations", "ssm:DescribeAssociation",
    "ssm:UpdateAssociationStatus", "ssm:UpdateInstanceAssociationStatus",
    "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage",
    "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply",
)  # fmt: skip
"""What Systems Manager's agent calls for Session Manager, Run Command and associations, by which operators reach an instance without an
open port. AWS's own AmazonSSMManagedInstanceCore has these and more: every parameter and every document of the account, inventory,
compliance, patches and packages. Most of these know no resource (service authorization reference: Systems Manager, ec2messages, ssmmessages)."""


def agent(names: Names) -> list[Statement]:
    """Rights of Systems Manager's agent. An association runs a document, which the agent fetches itself: only the environment's own, so
    that nobody runs anything on a node by an association that finds it by its tags."""
    documents = [names.arn("ssm", f"document/{names.base}-*")]
    return [Statement("Agent", AGENT), Statement("Documents", ["ssm:GetDocument"], documents)]


class InstanceRole(Construct):
    """Role and instance profile with what Systems Manager's agent needs and the given rights.

    :param purpose: last part of its name, such as ``server``.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        purpose: str,
        description: str,
        statements: Sequence[Statement] = (),
    ) -> None:
        super().__init__(scope, id_)
        name = names.resource(purpose)
        self.role = IamRole(
            self,
            "Resource",
            name=name,
            description=description,
            assume_role_policy=trust("ec2.amazonaws.com"),
        )
        rights = policy(*agent(names), *statements)
        self.rights: list[ITerraformDependable] = [
            IamRolePolicy(self, "policy", name="node", role=self.role.id, policy=rights)
        ]
        self.profile = IamInstanceProfile(self, "profile", name=name, role=self.role.name)
