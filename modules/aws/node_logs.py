"""What nodes log, in CloudWatch Logs, where nobody who holds a node changes it."""

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from settings.names import Names

AUDIT, JOURNAL = "audit", "journal"
"""What the groups are for: the Kubernetes API's audit log of the servers, and the journals of all nodes (``nodes/bin/ship-logs``)."""


class NodeLogs(Construct):
    """The two groups of an environment, kept as long as the platform's other logs.

    :param days: retention; one that CloudWatch Logs offers.
    :param key_arn: KMS key that lets CloudWatch Logs encrypt these groups.
    :param protect: refuse at plan to destroy them.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, days: int, key_arn: str, protect: bool) -> None:
        super().__init__(scope, id_)
        self.audit = self._group(AUDIT, names, days, key_arn, protect)
        self.journal = self._group(JOURNAL, names, days, key_arn, protect)

    def _group(self, purpose: str, names: Names, days: int, key_arn: str, protect: bool) -> CloudwatchLogGroup:
        return CloudwatchLogGroup(
            self,
            purpose,
            name=names.log_group(purpose),
            retention_in_days=days,
            kms_key_id=key_arn,
            lifecycle=lifecycle(protect=protect),
        )
