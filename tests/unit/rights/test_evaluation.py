"""The evaluator against what AWS's own pages say of their examples."""

from collections.abc import Mapping
from typing import Any

import pytest

from operations.devtools.emulator.rights.conditions import Unreadable
from operations.devtools.emulator.rights.evaluation import Caller, Policy, Request, allowed

ROLE = "arn:aws:iam::123456789012:role/Zhang"
EVERYTHING: Policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def policy(*statements: Mapping[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **more: Any) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> Mapping[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def may(action: str, resource: str, *policies: Policy, boundary: Policy | None = None, **context: Any) -> bool:
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    return allowed(Request(action, resource, keys), Caller(ROLE, policies, boundary))


def test_nothing_is_allowed_unless_a_policy_says_so() -> None:
    """Policy evaluation logic: implicit deny."""
    assert not may("s3:GetObject", "arn:aws:s3:::a/b")
    assert not may("s3:GetObject", "arn:aws:s3:::a/b", policy(allow("s3:PutObject")))


def test_an_explicit_deny_wins_over_any_allow() -> None:
    """Policy evaluation logic, example: everything allowed, CodeCommit's repositories denied to be deleted."""
    denied = policy(deny(["s3:Delete*"], "arn:aws:s3:::kept/*"))
    assert may("s3:DeleteObject", "arn:aws:s3:::other/x", EVERYTHING, denied)
    assert not may("s3:DeleteObject", "arn:aws:s3:::kept/x", EVERYTHING, denied)


def test_a_boundary_allows_nothing_by_itself_and_takes_what_it_does_not_name() -> None:
    """Permissions boundaries for IAM entities: the example of Shirley Rodriguez."""
    boundary = policy(allow(["s3:*", "cloudwatch:*", "ec2:*"]))
    create_user = policy(allow("iam:CreateUser"))
    assert not may("iam:CreateUser", "arn:aws:iam::123456789012:user/new", create_user, boundary=boundary)
    assert not may("s3:GetObject", "arn:aws:s3:::a/b", boundary=boundary)
    assert may("s3:GetObject", "arn:aws:s3:::a/b", policy(allow("s3:*")), boundary=boundary)
    assert not may("s3:GetObject", "arn:aws:s3:::a/b", policy(allow("s3:*")), boundary=policy(deny("s3:*")))


def test_delegating_with_a_boundary() -> None:
    """Permissions boundaries, delegating responsibility: users are made only with the boundary, and it stays as it is."""
    arn = "arn:aws:iam::123456789012:policy/XCompanyBoundaries"
    only = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    delegated = policy(
        allow(["iam:CreateRole", "iam:PutRolePolicy"], Condition=only), deny("iam:CreatePolicyVersion", arn)
    )
    role = "arn:aws:iam::123456789012:role/new"
    assert may("iam:CreateRole", role, delegated, iam__PermissionsBoundary=arn)
    assert not may("iam:CreateRole", role, delegated)
    assert not may("iam:CreateRole", role, delegated, iam__PermissionsBoundary="arn:aws:iam::123456789012:policy/other")
    assert not may("iam:CreatePolicyVersion", arn, EVERYTHING, delegated)


def test_not_action_and_not_resource() -> None:
    """IAM JSON policy elements: NotAction allows all but what it names; NotResource in a Deny leaves only what it names."""
    power = policy({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"})
    assert may("ec2:RunInstances", "*", power)
    assert not may("iam:CreateUser", "*", power)
    own = {
        "Effect": "Deny",
        "Action": "s3:*",
        "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"],
    }
    assert may("s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/may", EVERYTHING, policy(own))
    assert not may("s3:GetObject", "arn:aws:s3:::HRBucket/Bonus", EVERYTHING, policy(own))


def decide(resource_policy: Policy, action: str, *policies: Policy, boundary: Policy | None = None) -> bool:
    resource = "arn:aws:kms:us-east-1:123456789012:key/1" if action.startswith("kms") else "arn:aws:s3:::a/b"
    return allowed(Request(action, resource), Caller(ROLE, policies, boundary), resource_policy)


def test_a_resource_s_policy_is_enough_by_itself_in_the_same_account() -> None:
    """Evaluation within a single account: a union of identity's and resource's policies; a role's ARN ends at its boundary."""
    named = policy(allow("s3:GetObject", Principal={"AWS": ROLE}))
    other = policy(allow("s3:GetObject", Principal={"AWS": "arn:aws:iam::123456789012:role/Other"}))
    everyone = policy(allow("s3:GetObject", Principal="*"))
    narrow = policy(allow("ec2:*"))
    assert decide(named, "s3:GetObject")
    assert not decide(other, "s3:GetObject")
    assert not decide(named, "s3:GetObject", boundary=narrow)
    assert decide(everyone, "s3:GetObject", boundary=narrow)
    assert not decide(policy(deny("s3:*", Principal={"AWS": "*"})), "s3:GetObject", EVERYTHING)


def test_a_key_s_policy_decides_whether_policies_of_identities_count() -> None:
    """KMS developer guide, default key policy: without the statement for the account, IAM policies allow nothing."""
    account = policy(allow("kms:*", Principal={"AWS": "arn:aws:iam::123456789012:root"}))
    other = policy(allow("kms:*", Principal={"AWS": "arn:aws:iam::123456789012:role/Other"}))
    decrypt = policy(allow("kms:Decrypt"))
    assert decide(account, "kms:Decrypt", decrypt)
    assert not decide(account, "kms:Decrypt")
    assert not decide(other, "kms:Decrypt", decrypt)


def test_a_role_s_trust_decides_who_takes_it() -> None:
    ours = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
    named = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROLE}})
    request = Request("sts:AssumeRole", "arn:aws:iam::123456789012:role/other")
    assert not allowed(request, Caller(ROLE, [EVERYTHING]), ours)
    assert allowed(request, Caller(ROLE, []), named)


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalTag/job": "iamuser-admin"}}, {"aws:principaltag/job": "iamuser-admin"}, True),
        ({"StringEquals": {"aws:PrincipalTag/job": "iamuser-admin"}}, {}, False),
        ({"StringNotEquals": {"ec2:ResourceTag/owner": "me"}}, {}, True),
        ({"StringEqualsIfExists": {"ec2:InstanceType": ["t1.micro"]}}, {}, True),
        ({"StringEqualsIfExists": {"ec2:InstanceType": ["t1.micro"]}}, {"ec2:InstanceType": "m5.large"}, False),
        ({"StringLike": {"s3:prefix": ["home/*"]}}, {"s3:prefix": "home/anna"}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
        ({"Null": {"aws:TokenIssueTime": "false"}}, {}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::a-*"}}, {"aws:SourceArn": "arn:aws:s3:::a-b"}, True),
        ({"ForAllValues:StringEquals": {"dynamodb:Attributes": ["ID", "Tag"]}}, {"dynamodb:Attributes": ["ID"]}, True),
        ({"ForAllValues:StringEquals": {"dynamodb:Attributes": ["ID"]}}, {"dynamodb:Attributes": ["ID", "Tag"]}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["ID"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["ID"]}}, {"aws:TagKeys": ["ID", "Tag"]}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["ID"]}}, {}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["ID"]}}, {"aws:TagKeys": ["ID", "Tag"]}, True),
        ({"StringNotLike": {"a": ["x*", "y*"]}}, {"a": "yz"}, False),
    ],
)  # fmt: skip
def test_conditions(condition: Any, context: Any, expected: bool) -> None:
    """Condition operators, set operators for multivalued keys, and what a missing key means."""
    rights = policy(allow("s3:GetObject", Condition=condition))
    request = Request("s3:GetObject", "arn:aws:s3:::a/b", context)
    assert allowed(request, Caller(ROLE, [rights])) is expected


@pytest.mark.parametrize(
    "condition", [{"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}, {"StringEquals": {"a": "${aws:username}"}}]
)
def test_what_it_does_not_know_is_no_answer(condition: Any) -> None:
    with pytest.raises(Unreadable):
        may("s3:GetObject", "arn:aws:s3:::a/b", policy(allow("*", Condition=condition)))
