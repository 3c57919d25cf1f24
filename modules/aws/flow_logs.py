"""A record of the VPC's connections, in CloudWatch Logs."""

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from constructs import Construct

from modules.aws.policy import Statement, trust
from modules.aws.role import role_with_policy
from settings.names import Names

PURPOSE = "flow-logs"
"""What the group is for."""


class FlowLogs(Construct):
    """Flow logs of all traffic, kept as long as the platform's other logs.

    :param key_arn: KMS key that lets CloudWatch Logs encrypt this group.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, vpc_id: str, days: int, key_arn: str) -> None:
        super().__init__(scope, id_)
        group = CloudwatchLogGroup(
            self, "group", name=names.log_group(PURPOSE), retention_in_days=days, kms_key_id=key_arn
        )
        actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        write = Statement("Write", actions, [group.arn, f"{group.arn}:*"])
        find = Statement(
            "Find", ["logs:DescribeLogGroups"], ["*"]
        )  # knows no resource (Amazon VPC: roles of flow logs)
        role = role_with_policy(
            self,
            "role",
            name=names.resource("flow-logs"),
            description=f"Writes the flow logs of {names.base}",
            trust=trust(
                "vpc-flow-logs.amazonaws.com",
                account_id=names.project.account_id,
                sources=[names.arn("ec2", "vpc-flow-log/*")],
            ),
            policy_name="write",
            statements=[write, find],
        )
        FlowLog(
            self,
            "Resource",
            vpc_id=vpc_id,
            traffic_type="ALL",
            iam_role_arn=role.arn,
            log_destination=group.arn,
            tags={"Name": names.base},
        )
