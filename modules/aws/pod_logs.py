"""What the cluster's pods write, in CloudWatch Logs (``services.logs``)."""

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from settings.names import Names

PURPOSE = "pods"
"""What the group is for."""


class PodLogs(Construct):
    """The group to which Fluent Bit adds, kept as long as the platform's other logs.

    :param key_arn: KMS key that lets CloudWatch Logs encrypt this group.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, key_arn: str) -> None:
        super().__init__(scope, id_)
        self.group = CloudwatchLogGroup(
            self,
            "group",
            name=names.log_group(PURPOSE),
            retention_in_days=names.environment.backups.logs_days,
            kms_key_id=key_arn,
            lifecycle=lifecycle(protect=names.environment.deletion_protection),
        )
