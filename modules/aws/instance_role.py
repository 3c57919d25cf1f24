"""The IAM role of a kind of node."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from modules.aws.policy import Statement, policy, trust

SESSION_MANAGER = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
"""Lets Session Manager and Run Command reach the instance without an open port."""


class InstanceRole(Construct):
    """Role and instance profile with Session Manager access and the given rights."""

    def __init__(
        self, scope: Construct, id_: str, *, name: str, description: str, statements: Sequence[Statement]
    ) -> None:
        super().__init__(scope, id_)
        self.role = IamRole(
            self,
            "Resource",
            name=name,
            description=description,
            assume_role_policy=trust("ec2.amazonaws.com"),
        )
        session = IamRolePolicyAttachment(self, "session_manager", role=self.role.name, policy_arn=SESSION_MANAGER)
        self.rights: list[ITerraformDependable] = [session]
        if statements:
            self.rights.append(
                IamRolePolicy(self, "policy", name="node", role=self.role.id, policy=policy(*statements))
            )
        self.profile = IamInstanceProfile(self, "profile", name=name, role=self.role.name)
