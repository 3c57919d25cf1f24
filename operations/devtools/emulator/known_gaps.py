"""What the emulator forgets of what it is told, each with a proof that needs neither Terraform nor this project.

A plan after an apply may show these changes and no other.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

Clients = Callable[[str], Any]


@dataclass(frozen=True)
class EmulatorGap:
    """One thing that is lost.

    :param change: pattern of the changes that a plan shows for it.
    :param proof: tells the emulator directly; true if what it then says lacks it.
    """

    what: str
    change: str
    proof: Callable[[Clients], bool]

    def explains(self, change: str) -> bool:
        """Whether this is the reason of a change in a plan."""
        return re.fullmatch(self.change, change) is not None


def clients(environment: dict[str, str]) -> Clients:
    """Clients of the emulator by service."""
    session = boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    return lambda service: session.client(
        service, region_name=environment["AWS_REGION"], endpoint_url=environment["AWS_ENDPOINT_URL"]
    )


def _loses_replication_of_deletions(aws: Clients) -> bool:
    return bool(_replication(aws)["DeleteMarkerReplication"]["Status"] != "Enabled")


def _loses_replication_of_encrypted_objects(aws: Clients) -> bool:
    return "SourceSelectionCriteria" not in _replication(aws)


def _replication(aws: Clients) -> dict[str, Any]:
    """A rule that the emulator was told, as it gives it back."""
    s3 = aws("s3")
    for bucket in ("proof-source", "proof-copy"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "proof",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "Status": "Enabled",
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {"Bucket": "arn:aws:s3:::proof-copy"},
    }
    configuration = {"Role": "arn:aws:iam::123456789012:role/proof", "Rules": [rule]}
    s3.put_bucket_replication(Bucket="proof-source", ReplicationConfiguration=configuration)
    answer = s3.get_bucket_replication(Bucket="proof-source")["ReplicationConfiguration"]
    return dict(answer["Rules"][0])


FORGOTTEN = (
    EmulatorGap(
        "that deletions are to be copied to a replica",
        r"aws_s3_bucket_replication_configuration\.rule\[0\]\.delete_marker_replication\[0\]\.status: 'Disabled' -> 'Enabled'",
        _loses_replication_of_deletions,
    ),
    EmulatorGap(
        "that encrypted objects are to be copied to a replica",
        r"aws_s3_bucket_replication_configuration\.rule\[0\]\.source_selection_criteria\[0\]\..+: None -> 'Enabled'",
        _loses_replication_of_encrypted_objects,
    ),
)
