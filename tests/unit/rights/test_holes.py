"""Each hole that AWS's rights once had, dug again: the matrix shows what came out of it, and no reason explains that.

So the matrix is known to see what it was made for. What is dug is what stood here before decision 0090 (modules/aws/github_roles.py and others then).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from operations.devtools.emulator.rights.evaluation import Caller, Policy, statements
from tests.everything import NAME
from tests.rights.account import ACCOUNT, Account, Resource, managed
from tests.rights.matrix import MADE, cells
from tests.rights.reasons import unexpected_changes

AWS = "arn:aws:iam::aws:policy/"

DEPLOYER = "vet-github-deploy-dev"
PROD, OTHERS = "prod", "account"

Hole = Callable[[Account], Account]
"""Digs one into a copy of the account."""


def _role(account: Account, name: str, *policies: Policy) -> Account:
    """A role with other policies and, as in those days, without a boundary."""
    caller = Caller(account.roles[name].arn, policies)
    return replace(account, roles={**account.roles, name: caller})


def _statement(action: Any, resource: Any = "*", **more: Any) -> Policy:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


def _by_tags(account: Account) -> Account:
    """All but IAM, roles by name without a boundary, and everything denied that carries another environment's tag."""
    roles = f"arn:aws:iam::{ACCOUNT}:role/vet-dev-*"
    tagged = {"StringEquals": {"aws:ResourceTag/Environment": [PROD, NAME]}}
    return _role(
        account,
        DEPLOYER,
        managed(f"{AWS}PowerUserAccess"),
        _statement(["iam:AttachRolePolicy", "iam:CreateRole", "iam:PassRole", "iam:PutRolePolicy"], roles),
        _statement("*", Effect="Deny", Condition=tagged),
    )


def _any_role(account: Account) -> Account:
    """What the boundary's condition does not reach: who may take a role, and which service; named by nothing else."""
    every = f"arn:aws:iam::{ACCOUNT}:role/*"
    return _role(account, DEPLOYER, _statement(["iam:UpdateAssumeRolePolicy", "iam:PassRole"], every))


def _reading_everything(account: Account) -> Account:
    return _role(account, "vet-github-plan", managed(f"{AWS}ReadOnlyAccess"))


def _aws_s_rights_of_a_node(account: Account) -> Account:
    return _role(account, "vet-dev-agent", managed(f"{AWS}AmazonSSMManagedInstanceCore"))


def _without_conditions(name: str) -> Hole:
    """A role whose statements hold for whatever they name."""

    def dug(account: Account) -> Account:
        bare = [
            {
                "Statement": [
                    {key: value for key, value in each.items() if key != "Condition"} for each in statements(policy)
                ]
            }
            for policy in account.roles[name].policies
        ]
        return _role(account, name, *bare)

    return dug


def _one_secret_like_another(account: Account) -> Account:
    """The keys' policies let people decrypt whatever Secrets Manager holds."""

    def opened(resource: Resource) -> Resource:
        if resource.type != "aws_kms_key":
            return resource
        bare = []
        for each in statements(resource.policy):
            condition = {
                kind: keys for kind, keys in each.get("Condition", {}).items() if "EncryptionContext" not in str(keys)
            }
            bare.append({**each, "Condition": condition})
        return replace(resource, policy={"Statement": bare})

    return replace(account, resources=[opened(each) for each in account.resources])


HOLES: Mapping[str, tuple[Hole, str, set[tuple[str, str]]]] = {
    "who deploys dev reaches prod, because S3 and Route 53 decide without tags": (
        _by_tags,
        DEPLOYER,
        {
            (PROD, "write the issuer's keys"),
            (PROD, "write any record"),
            (PROD, "s3:GetObject"),
            (OTHERS, "s3:PutObject"),
            (OTHERS, "s3:DeleteObject"),
        },
    ),
    "who deploys dev makes an administrator": (
        _by_tags,
        MADE.format(DEPLOYER),
        {(PROD, "secretsmanager:GetSecretValue"), (PROD, "ec2:TerminateInstances"), (OTHERS, "iam:CreateUser")},
    ),
    "who deploys dev takes prod's roles, or gives them to a service": (
        _any_role,
        DEPLOYER,
        {(PROD, "iam:UpdateAssumeRolePolicy"), (PROD, "pass to lambda")},
    ),
    "a pull request reads what is others'": (
        _reading_everything,
        "vet-github-plan",
        {
            (OTHERS, "s3:GetObject"),
            (OTHERS, "ssm:GetParameter"),
            (OTHERS, "logs:GetLogEvents"),
            (OTHERS, "dynamodb:GetItem"),
            (OTHERS, "lambda:GetFunction"),
            (NAME, "logs:GetLogEvents"),
        },
    ),
    "a node reads every parameter": (_aws_s_rights_of_a_node, "vet-dev-agent", {(PROD, "ssm:GetParameter"), (OTHERS, "ssm:GetParameter")}),
    "a node writes everybody's measurements": (_without_conditions(f"vet-{NAME}-agent"), f"vet-{NAME}-agent", {(OTHERS, "cloudwatch:PutMetricData")}),
    "a reader opens the tokens by which nodes join": (_one_secret_like_another, "people: read", {(NAME, "kms:Decrypt agent_token"), (NAME, "kms:Decrypt server_token")}),
    "certificates write any record": (_without_conditions("vet-dev-certificates"), "vet-dev-certificates", {("dev", "write any record")}),
    "snapshots are taken of every volume": (_without_conditions(f"vet-{NAME}-volume-snapshots"), f"vet-{NAME}-volume-snapshots", {(PROD, "ec2:CreateSnapshot"), (PROD, "ec2:DeleteSnapshot")}),
}  # fmt: skip
"""What to dig, who gets something by it, and some of what they then do: whose thing it is, and the act. (That people open each other's credentials is
another test's: reasons.yaml speaks of all of these together.)"""


@pytest.mark.parametrize("what", HOLES)
def test_the_matrix_sees_a_hole_and_no_reason_explains_it(account: Account, what: str) -> None:
    dig, who, wanted = HOLES[what]
    shown = {(cell.environment, cell.act) for cell in unexpected_changes(cells(dig(account), {who}))}
    assert wanted <= shown, f"{who} does these, and the matrix does not say so: {wanted - shown}"
    today = {(cell.environment, cell.act) for cell in unexpected_changes(cells(account, {who}))}
    assert not today & wanted, f"{who} still does {today & wanted}"
