"""Who can do what in AWS is as written, and what is open is meant to be."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from operations.devtools.emulator.rights.conditions import several
from operations.devtools.emulator.rights.evaluation import Caller, Request, allowed, statements
from tests.everything import NAME
from tests.rights import page
from tests.rights.account import ACCOUNT, Account
from tests.rights.matrix import FILE, MADE, Cell, cells, home, rendered
from tests.rights.reasons import reasons, unexpected_changes


@pytest.fixture(scope="session")
def matrix(account: Account) -> list[Cell]:
    """Everything sensitive that somebody can do."""
    return list(cells(account))


def test_the_matrix_is_fresh(matrix: list[Cell]) -> None:
    assert rendered(matrix) == FILE.read_text(), "rights have changed: `make rights`, and read the difference"


def test_every_cell_has_a_reason(matrix: list[Cell]) -> None:
    open_ = unexpected_changes(matrix)
    assert not open_, "nobody has written why (tests/rights/reasons.yaml):\n" + "\n".join(map(str, open_))


def test_every_reason_is_needed(matrix: list[Cell]) -> None:
    idle = [reason for reason in reasons() if not any(reason.explains(cell) for cell in matrix)]
    assert not idle, f"these explain nothing that is open: {idle}"


def test_nobody_of_one_environment_reaches_another(matrix: list[Cell]) -> None:
    """A deploy of dev that was approved, a broken pod, agent or server of dev, and whatever role they could make."""
    crossing = [cell for cell in matrix if home(cell.identity) not in (cell.environment, "account")]
    account_s = {"kms_key storage/key", "s3_bucket storage/bucket"}
    crossing = [cell for cell in crossing if not (cell.environment == "account" and cell.resource in account_s)]
    crossing = [
        cell for cell in crossing if (cell.environment, cell.resource, cell.act) != ("account", "state", "s3:GetObject")
    ]
    assert not crossing, "\n".join(map(str, crossing))


def test_the_deployers_are_judged_with_what_they_could_make(account: Account, matrix: list[Cell]) -> None:
    """So that the test above cannot pass because nobody was looked at."""
    for name in account.environments:
        for identity in (f"vet-github-deploy-{name}", MADE.format(f"vet-github-deploy-{name}")):
            own = {cell.act for cell in matrix if cell.identity == identity and cell.environment == name}
            assert {"write the issuer's keys", "write any record", "secretsmanager:GetSecretValue"} <= own, identity


def test_people_read_their_own_credentials_and_no_other_secret(matrix: list[Cell]) -> None:
    for role in ("read", "deploy", "admin"):
        acts = {(cell.resource, cell.act) for cell in matrix if cell.identity == f"people: {role}"}
        assert acts == {
            (f"secretsmanager_secret secrets/credentials_{role}", "secretsmanager:GetSecretValue"),
            ("kms_key keys/secrets", f"kms:Decrypt credentials_{role}"),
        }


def test_every_role_has_its_environment_s_boundary(account: Account) -> None:
    boundaries = {each.arn: each.policy for each in account.of("aws_iam_policy")}
    for resource in account.of("aws_iam_role"):
        if resource.environment != "account":
            wanted = boundaries[f"arn:aws:iam::{ACCOUNT}:policy/vet-{resource.environment}-boundary"]
            assert account.roles[resource.block["name"]].boundary == wanted, resource


def test_a_boundary_takes_nothing_that_a_role_s_own_policies_give(account: Account) -> None:
    """Least is not less than needed: each right of each role, tried as its conditions ask for it."""
    lost = []
    for name, caller in account.roles.items():
        if caller.boundary is None:
            continue
        for request in _asked(caller, home(name)):
            assert allowed(request, Caller(caller.arn, caller.policies), _any(request)), (
                f"{name}: {request} tests nothing"
            )
            if not allowed(request, caller, _any(request)):
                lost.append(f"{name}: {request}")
    assert not lost, "\n".join(lost)


def _any(request: Request) -> Mapping[str, Any] | None:
    """A key's own policy leaves it to the account."""
    if not request.action.startswith("kms:"):
        return None
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": principal}]}


def _asked(caller: Caller, environment: str) -> Iterator[Request]:
    own = {"aws:ResourceTag/Environment": environment}
    for policy in caller.policies:
        for statement in statements(policy):
            context: dict[str, Any] = {}
            for operator, keys in statement.get("Condition", {}).items():
                if operator != "Null":
                    context.update({key: several(values)[0].replace("*", "x") for key, values in keys.items()})
            for action in several(statement["Action"]):
                for resource in several(statement["Resource"]):
                    tagging = "RequestTag" in str(statement.get("Condition")) or statement.get("Sid") == "Keep"
                    tags = {"aws:RequestTag/Environment": environment} if tagging else own
                    asked = {**tags, **context}
                    place = resource.replace("*", "x") if resource != "*" else "*"
                    yield Request(action.replace("*", "X"), place, asked)


def test_nodes_run_only_their_own_environment_s_documents(account: Account) -> None:
    """An association finds nodes by tags, no matter who makes it; a node that cannot fetch the document does not run it."""
    for name in account.environments:
        deployer = account.roles[f"vet-github-deploy-{name}"]
        for other in account.environments:
            for document in (f"arn:aws:ssm:us-east-1:{ACCOUNT}:document/vet-{name}-x", SHELL):
                runs = [
                    node
                    for node in (f"vet-{other}-server", f"vet-{other}-agent")
                    if allowed(Request("ssm:CreateAssociation", document), deployer)
                    and allowed(Request("ssm:GetDocument", document), account.roles[node])
                ]
                assert bool(runs) is (name == other and document != SHELL), f"{name} runs {document} on {runs}"


SHELL = "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"


def test_roles_cannot_be_made_or_changed_without_the_boundary(account: Account) -> None:
    for name in account.environments:
        deployer, role = account.roles[f"vet-github-deploy-{name}"], f"arn:aws:iam::{ACCOUNT}:role/vet-{name}-new"
        own = f"arn:aws:iam::{ACCOUNT}:policy/vet-{name}-boundary"
        for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
            assert allowed(Request(action, role, {"iam:PermissionsBoundary": own}), deployer), action
            for other in ({}, {"iam:PermissionsBoundary": own.replace(f"vet-{name}", "wide")}):
                assert not allowed(Request(action, role, other), deployer), f"{action} with {other}"
        for action in ("iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"):
            for resource in (role, own):
                assert not allowed(Request(action, resource, {"iam:PermissionsBoundary": own}), deployer), action


@pytest.mark.parametrize("service", ["lambda", "ecs-tasks", "codebuild", "cloudformation", "ssm", "glue"])
def test_a_role_is_passed_only_to_services_that_the_stacks_use(account: Account, service: str) -> None:
    request = Request(
        "iam:PassRole",
        f"arn:aws:iam::{ACCOUNT}:role/vet-{NAME}-server",
        {"iam:PassedToService": f"{service}.amazonaws.com"},
    )
    assert not allowed(request, account.roles[f"vet-github-deploy-{NAME}"])


def test_service_trust_names_the_account_and_what_it_is_for(account: Account) -> None:
    """S3, DLM, flow logs and the scheduler work for every account by one name."""
    for role in account.of("aws_iam_role"):
        (statement,) = statements(role.policy)
        service = statement["Principal"].get("Service")
        if service and service != "ec2.amazonaws.com":
            condition = statement["Condition"]
            assert condition["StringEquals"] == {"aws:SourceAccount": ACCOUNT}, role
            assert all(each.startswith("arn:aws:") for each in condition["ArnLike"]["aws:SourceArn"]), role


def test_operators_run_programs_on_machines_of_their_environment_and_workflows_on_none(account: Account) -> None:
    """Run Command takes the right to the machine and to the document (service authorization reference: Systems Manager)."""
    asked = {
        each.environment: Request("ssm:SendCommand", each.arn, {"aws:ResourceTag/Environment": each.environment})
        for each in account.of("aws_instance")
    }
    assert set(asked) == set(account.environments)
    operator = account.roles[f"vet-operate-{NAME}"]
    assert [name for name, request in asked.items() if allowed(request, operator)] == [NAME]
    assert allowed(Request("ssm:SendCommand", SHELL), operator)
    for name in account.environments:
        deployer = account.roles[f"vet-github-deploy-{name}"]
        assert not allowed(Request("ssm:SendCommand", SHELL), deployer), "a workflow runs what it likes as root"


def test_operators_are_those_whom_the_settings_name(account: Account) -> None:
    roles = {each.block["name"]: each for each in account.of("aws_iam_role")}
    assert [name for name in roles if name.startswith("vet-operate-")] == [f"vet-operate-{NAME}"], (
        "no one named, no role"
    )
    (statement,) = statements(roles[f"vet-operate-{NAME}"].policy)
    assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/operator"]}


def test_what_somebody_took_ends_after_an_hour(account: Account) -> None:
    """AWS's own default; of the laptop of an operator the page on security says so."""
    longer = [each.label for each in account.of("aws_iam_role") if "max_session_duration" in each.block]
    assert not longer, f"credentials of these last for more than an hour: {longer}"


def test_a_company_s_boundary_leaves_open_what_the_page_says(company: list[Cell]) -> None:
    """A role has one boundary. What deploying and operating roles do themselves stays in their environment; what they could make does not."""
    crossing = page.crossing(company)
    assert {"secretsmanager:GetSecretValue", "write the issuer's keys", "s3:GetObject"} <= {
        cell.act for cell in crossing
    }
    makers = {cell.identity for cell in crossing}
    assert all(name.startswith("whatever ") for name in makers), makers


def test_the_page_is_fresh(matrix: list[Cell], company: list[Cell]) -> None:
    text = page.FILE.read_text()
    assert page.renewed(text, matrix, company) == text, "`make rights`"
