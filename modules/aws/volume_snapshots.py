"""Snapshots of the servers' data volumes and of pods' volumes, taken and deleted by Data Lifecycle Manager."""

from cdktf_cdktf_provider_aws.dlm_lifecycle_policy import DlmLifecyclePolicy, DlmLifecyclePolicyPolicyDetailsSchedule
from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.aws.policy import Statement, trust
from modules.aws.role import role_with_policy
from settings.backups import VolumeSnapshotsSettings
from settings.names import SNAPSHOT_TAG, Names


class VolumeSnapshots(Construct):
    """Takes a snapshot of every volume with the environment's ``Snapshot`` tag, and keeps the newest."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, settings: VolumeSnapshotsSettings) -> None:
        super().__init__(scope, id_)
        schedule = DlmLifecyclePolicyPolicyDetailsSchedule(
            name="data-volumes",
            create_rule={"interval": settings.every_hours, "interval_unit": "HOURS", "times": ["02:00"]},
            retain_rule={"count": settings.retention},
            copy_tags=True,
            tags_to_add={"ManagedBy": "dlm"},
        )
        DlmLifecyclePolicy(
            self,
            "Resource",
            description=f"Data volumes of {names.base}",
            execution_role_arn=self._role(names).arn,
            state="ENABLED",
            policy_details={
                "resource_types": ["VOLUME"],
                "target_tags": {SNAPSHOT_TAG: names.base},
                "schedule": [schedule],
            },
        )

    def _role(self, names: Names) -> IamRole:
        """What AWSDataLifecycleManagerServiceRole has of it, narrowed to volumes with the tag and to this environment's snapshots."""
        snapshots = "arn:aws:ec2:*:*:snapshot/*"
        new_or_own = {"StringEqualsIfExists": {"aws:ResourceTag/Environment": names.environment.name}}
        own = {"StringEquals": {f"aws:ResourceTag/{SNAPSHOT_TAG}": names.base}}
        rights = [
            Statement("Look", ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"]),
            Statement("Take", ["ec2:CreateSnapshot"], ["arn:aws:ec2:*:*:volume/*"], conditions=own),
            Statement("Keep", ["ec2:CreateSnapshot"], [snapshots]),
            Statement("Tag", ["ec2:CreateTags"], [snapshots], conditions=new_or_own),
            Statement("Delete", ["ec2:DeleteSnapshot"], [snapshots], conditions=own),
        ]
        return role_with_policy(
            self,
            "role",
            name=names.role("volume-snapshots"),
            description=f"Takes snapshots of the data volumes of {names.base}",
            trust=trust(
                "dlm.amazonaws.com", account_id=names.project.account_id, sources=[names.arn("dlm", "policy/*")]
            ),
            policy_name="snapshots",
            statements=rights,
        )
