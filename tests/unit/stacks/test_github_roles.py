"""What workflows on GitHub may do in AWS, and that they may do nothing unless a repository is named."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from settings.project import GitHub
from tests.template import Template
from tests.unit.stacks.conftest import synthesised_with

HOST = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """vet-state with a repository named."""
    stacks = synthesised_with("github: {repository: clinic/platform}", tmp_path_factory.mktemp("github"))
    return Template.read(stacks / "vet-state/cdk.tf.json")


def _statements(template: Template, path: str) -> dict[str, Any]:
    document = json.loads(template.one("aws_iam_role_policy", f"{path}/policy")["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def _subjects(template: Template, path: str) -> Any:
    (statement,) = json.loads(template.one("aws_iam_role", path)["assume_role_policy"])["Statement"]
    equal = statement["Condition"]["StringEquals"]
    assert set(statement["Condition"]) == {"StringEquals"}, "a pattern would let in what nobody thought of"
    assert equal[f"{HOST}:aud"] == "sts.amazonaws.com"
    return equal[f"{HOST}:sub"]


def test_without_a_repository_aws_trusts_no_workflow(state: Template) -> None:
    assert not state.resources("aws_iam_openid_connect_provider")
    assert not state.resources("aws_iam_role")


def test_each_role_is_for_exactly_its_runs(trusting: Template) -> None:
    assert _subjects(trusting, "github/plan") == [
        "repo:clinic/platform:pull_request",
        "repo:clinic/platform:ref:refs/heads/main",
    ]
    for name in ("dev", "prod"):
        assert _subjects(trusting, f"github/deploy-{name}") == [f"repo:clinic/platform:environment:{name}"]


def test_numbers_are_trusted_where_they_are_given_and_a_later_repository_of_that_name_is_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A subject is compared as a whole: neither the bare names nor other numbers get in."""
    stacks = synthesised_with("github: {repository: clinic@42/platform@7}", tmp_path_factory.mktemp("numbers"))
    assert _subjects(Template.read(stacks / "vet-state/cdk.tf.json"), "github/deploy-dev") == [
        "repo:clinic@42/platform@7:environment:dev"
    ]


@pytest.mark.parametrize(
    "name", ["clinic@42/platform", "clinic/platform@7", "clinic@/platform@", "clinic@4*/platform@7", "clinic"]
)
def test_half_a_subject_is_no_repository(name: str) -> None:
    with pytest.raises(ValidationError):
        GitHub(repository=name)


def test_the_planning_role_reads_and_sees_no_contents(trusting: Template) -> None:
    attached = trusting.one("aws_iam_role_policy_attachment", "github/plan/managed")
    assert attached["policy_arn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    statements = _statements(trusting, "github/plan")
    allowed = {action for s in statements.values() if s["Effect"] == "Allow" for action in s["Action"]}
    assert allowed == {"kms:Decrypt"}
    closed = statements["NoContents"]["Resource"]
    assert "arn:aws:s3:::vet-prod-database-123456789012-us-east-1/*" in closed
    assert not any("state" in resource for resource in closed), "a plan reads state"
    assert statements["NoSecrets"]["Effect"] == "Deny"


def test_a_deploying_role_stays_in_its_environment(trusting: Template) -> None:
    statements = _statements(trusting, "github/deploy-dev")
    assert all("/vet-dev-" in resource for resource in statements["Roles"]["Resource"])
    assert "*" not in "".join(statements["Roles"]["Action"])
    other = {resource.rsplit("/", 2)[-2] for resource in statements["NoOtherState"]["Resource"]}
    assert other == {"vet-state", "vet-prod", "vet-prod-helm"}
    tags = statements["NoOtherEnvironment"]["Condition"]["StringEquals"]
    assert tags == {"aws:ResourceTag/Environment": ["prod"]}
    denied = [sid for sid, statement in statements.items() if statement["Effect"] == "Deny"]
    assert sorted(denied) == ["NoOtherEnvironment", "NoOtherState", "NoStateBucket", "NoStateKey"]


def test_their_names_are_outputs_for_github_s_settings(trusting: Template) -> None:
    assert "AWS_PLAN_ROLE" in trusting.output("github_plan_role")["description"]
    assert set(trusting.output("github_deploy_roles")["value"]) == {"dev", "prod"}
