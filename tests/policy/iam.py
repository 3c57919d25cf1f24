"""Actions, resources and conditions of every policy in the stacks exist: Parliament's data of what IAM knows.

Runs beside Checkov, in whose environment Parliament is: ``python -m tests.policy.iam FOLDER`` prints a line for each fault.
"""

import json
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from parliament import analyze_policy_string

EXPRESSION = re.compile(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")

REFERENCES = {
    "aws_kms_key": "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012",
    "aws_s3_bucket": "arn:aws:s3:::clinic",
    "aws_secretsmanager_secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:clinic-AbCdEf",
    "aws_ssm_parameter": "arn:aws:ssm:us-east-1:123456789012:parameter/clinic",
    "aws_iam_role": "arn:aws:iam::123456789012:role/clinic",
    "aws_iam_openid_connect_provider": "arn:aws:iam::123456789012:oidc-provider/clinic.example.com",
    "aws_route53_zone": "arn:aws:route53:::hostedzone/Z0123456789ABC",
    "aws_ecr_repository": "arn:aws:ecr:us-east-1:123456789012:repository/clinic",
    "aws_sns_topic": "arn:aws:sns:us-east-1:123456789012:clinic",
    "aws_sqs_queue": "arn:aws:sqs:us-east-1:123456789012:clinic",
    "aws_instance": "i-0123456789abcdef0",
    "aws_cloudwatch_log_group": "arn:aws:logs:us-east-1:123456789012:log-group:clinic",
    "aws_autoscaling_group": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:id:autoScalingGroupName/clinic",
}
"""What a reference to a resource becomes at apply; to judge whether an action takes such a resource."""

TOLERATED = frozenset(
    {
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        "RESOURCE_STAR",
        "CREDENTIALS_EXPOSURE",
        "PRIVILEGE_ESCALATION",
        "SENSITIVE_ACCESS",
    }
)
"""Findings about how far a right goes, which other tests judge; this one asks whether it exists."""


CONDITIONS = frozenset({"ssm:SessionDocumentAccessCheck for action ssm:StartSession"})
"""Condition keys that AWS lists and Parliament's copy of the list lacks (service authorization reference: AWS Systems Manager)."""


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and policy of each document in a folder of stacks, with references filled in."""
    for file in sorted(folder.glob("*/cdk.tf.json")):
        for type_, blocks in json.loads(file.read_text()).get("resource", {}).items():
            for name, block in blocks.items():
                for key in ("policy", "assume_role_policy"):
                    text = block.get(key)
                    if isinstance(text, str) and '"Statement"' in text:
                        yield f"{file.parent.name}/{type_}.{name}", json.loads(EXPRESSION.sub(_filled, text))


def _filled(expression: re.Match[str]) -> str:
    kind = re.search(r"aws_[a-z0-9_]+", expression[0])
    arn = REFERENCES.get(kind[0] if kind else "", "clinic")
    return arn if ".arn" in expression[0] or arn.startswith("i-") else "clinic"


def faults(place: str, policy: dict[str, Any]) -> Iterator[str]:
    """What IAM would not understand in one policy. Principals are left out: Parliament knows policies of identities alone."""
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for statement in statements:
        judged = {key: value for key, value in statement.items() if key not in ("Principal", "NotPrincipal")}
        judged.setdefault("Resource", "*")
        analysis = analyze_policy_string(json.dumps({"Version": policy["Version"], "Statement": [judged]}))
        for finding in analysis.findings:
            if finding.issue not in TOLERATED and not _explained(finding, statement, statements):
                yield f"{place}, {statement.get('Sid', 'a statement')}: {finding.issue} {finding.detail}"


def _explained(finding: Any, statement: dict[str, Any], statements: list[dict[str, Any]]) -> bool:
    """Whether a finding is about what Parliament cannot see: a token's own condition keys, an action that several statements allow,
    each with another kind of resource, and one of many that ``ssm:*`` names, of which those count that know the resource."""
    if finding.issue == "UNKNOWN_CONDITION_FOR_ACTION":
        return str(finding.detail).removeprefix("Unknown condition ") in CONDITIONS or (
            "Federated" in statement.get("Principal", {})
            and re.search(r":(aud|sub) for action", str(finding.detail)) is not None
        )
    if (
        finding.issue == "MISMATCHED_TYPE"
    ):  # the context's value is an ARN here (CloudWatch Logs user guide: encrypt log data using AWS KMS)
        return list(statement.get("Condition", {}).get("ArnEquals", {})) == ["kms:EncryptionContext:aws:logs:arn"]
    if finding.issue == "RESOURCE_MISMATCH":
        actions = [each["action"] for each in finding.detail]
        wide = [given for given in _actions(statement) if "*" in given]
        return all(
            sum(action in _actions(each) for each in statements) > 1
            or any(fnmatchcase(action, given) for given in wide)
            for action in actions
        )
    return False


def _actions(statement: dict[str, Any]) -> list[str]:
    actions = statement.get("Action", [])
    return [actions] if isinstance(actions, str) else actions


def run(folder: Path) -> int:
    """Print every fault; 0 if there is none."""
    judged = list(documents(folder))
    wrong = sorted({fault for place, policy in judged for fault in faults(place, policy)})
    print("\n".join(wrong) or f"parliament: {len(judged)} policies name what IAM knows")
    return 1 if wrong or not judged else 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
