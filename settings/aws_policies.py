"""How large a policy document may be for AWS, by the attribute that carries it. Plain Python.

Sources: IAM and STS quotas (character limits; white space is not counted); Amazon S3 user guide, bucket policies; KMS quotas, key policy
document size; Secrets Manager quotas.
"""

import json

SIZES = {
    "aws_iam_policy.policy": 6144,
    "aws_s3_bucket_policy.policy": 20480,
    "aws_kms_key.policy": 32768,
    "aws_secretsmanager_secret_policy.policy": 20480,
}
"""Characters of a policy document without white space."""

INLINE_POLICIES = 10240
"""All inline policies of one role together."""

TRUST_POLICY = 2048
"""A role's trust policy, before a quota is raised."""


def size(text: str) -> int:
    """Characters of a document as IAM counts them, without white space outside of quotes; all of them if it is no JSON."""
    try:
        return len(json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False))
    except json.JSONDecodeError:
        return len(text)
