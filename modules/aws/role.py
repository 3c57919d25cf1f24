"""An IAM role with one inline policy, as every role of the platform but the nodes' is made."""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from modules.aws.policy import Statement, policy


def role_with_policy(
    scope: Construct,
    id_: str,
    *,
    name: str,
    description: str,
    trust: str,
    policy_name: str,
    statements: Sequence[Statement],
) -> IamRole:
    """The role, with the id ``id_`` in ``scope`` and its policy beside it.

    :param trust: who may take the role, as a policy document (``policy.trust`` for a service of AWS).
    :param policy_name: the inline policy's name.
    :param statements: what the role may do.
    """
    role = IamRole(scope, id_, name=name, description=description, assume_role_policy=trust)
    IamRolePolicy(scope, "policy", name=policy_name, role=role.id, policy=policy(*statements))
    return role
