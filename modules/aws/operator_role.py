"""The role of people who look after one environment from their own machine: deploys, rolls, restores, drills, and looking at it.

A workflow's role deploys the same stacks and runs nothing on a machine (:func:`reaching`); this one runs the nodes' programs by Run Command as
well, which is being root on every server of the environment. It reaches nothing of another one.
"""

from collections.abc import Sequence

from constructs import Construct

from modules.aws.github_rights import deploying
from modules.aws.policy import Statement, policy
from modules.aws.role import role_with_policy
from settings.names import STATE_STACK, Names, helm_stack, infrastructure_stack, state_key

SHELL = "AWS-RunShellScript"
"""AWS's document that runs a command as root (Systems Manager: Run Command), by which ``operations/shared/servers.py`` calls node programs."""

TUNNEL = "AWS-StartPortForwardingSession"
"""AWS's document of the tunnel to a private API (``operations/shared/kubeconfig.py``)."""

SESSIONS = (
    TUNNEL,
    "AWS-StartPortForwardingSessionToRemoteHost",
    "SSM-SessionManagerRunShell",
)
"""Documents of Session Manager: the tunnel to a private API, and a shell (Systems Manager: sample policies for Session Manager)."""


class OperatorRole(Construct):
    """The role, which the given people may take.

    :param operators: ARNs of roles and users.
    :param zone_arn: the zone of the environment's hosts.
    :param state_bucket: ARN of the bucket with all state, and of its key.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        operators: Sequence[str],
        zone_arn: str,
        state_bucket: str,
        state_key: str,
    ) -> None:
        super().__init__(scope, id_)
        people = Statement("Operators", ["sts:AssumeRole"], resources=(), principals={"AWS": list(operators)})
        rights = deploying(names, zone_arn=zone_arn, state_bucket=state_bucket, state_key=state_key)
        self.role = role_with_policy(
            self,
            "Resource",
            name=f"{names.project.name_prefix}-operate-{names.environment.name}",
            description=f"People who look after {names.base}",
            trust=policy(people),
            policy_name="operate",
            statements=[*rights, *operating(names, state_bucket)],
        )


def reaching(names: Names, state_bucket: str) -> list[Statement]:
    """What a deploy of the Helm stack takes beside the infrastructure's: a tunnel to a server's API and nothing else. A session that names no
    document would be a shell: AWS then asks for a right to that as well, which is not given (Systems Manager user guide: enforce a session
    document permission check)."""
    own = {"StringEquals": {"aws:ResourceTag/Environment": names.environment.name}}
    checked = {**own, "BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    machines = [names.arn("ec2", "instance/*")]
    return [
        Statement("Tunnel", ["ssm:StartSession"], machines, conditions=checked),
        Statement("TunnelBy", ["ssm:StartSession"], [_document(names, TUNNEL)]),
        Statement("StateOfAccount", ["s3:GetObject"], [f"{state_bucket}/{state_key(STATE_STACK)}"]),
    ]


def operating(names: Names, state_bucket: str) -> list[Statement]:
    """What looking after an environment takes beside deploying it."""
    name = names.environment.name
    own = {"StringEquals": {"aws:ResourceTag/Environment": name}}
    machines = [names.arn("ec2", "instance/*")]
    objects = [f"{state_bucket}/{stack}/*" for stack in (infrastructure_stack(name), helm_stack(name))]
    return [
        Statement("Run", ["ssm:SendCommand", "ssm:StartSession"], machines, conditions=own),
        Statement("RunShell", ["ssm:SendCommand"], [_document(names, SHELL)]),
        Statement("Sessions", ["ssm:StartSession"], [_document(names, each) for each in SESSIONS]),
        Statement("Answers", ["ssm:GetCommandInvocation", "ecr:GetAuthorizationToken", "tag:GetResources"]),
        # The name servers that a deploy shows; the account's state holds zones, keys' ids and roles, and nothing secret.
        Statement("StateOfAccount", ["s3:GetObject"], [f"{state_bucket}/{state_key(STATE_STACK)}"]),
        Statement("StateVersions", ["s3:GetBucketVersioning", "s3:ListBucketVersions"], [state_bucket]),
        Statement("StateOfBefore", ["s3:GetObjectVersion", "s3:DeleteObjectVersion"], objects),
    ]


def _document(names: Names, name: str) -> str:
    """A document that AWS owns has no account; the session's preferences are a document of the account."""
    if name.startswith("AWS-"):
        return f"arn:aws:ssm:{names.environment.region}::document/{name}"
    return names.arn("ssm", f"document/{name}")
