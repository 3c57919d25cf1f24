"""What workflows on GitHub may do in AWS, and that they may do nothing unless a repository is named."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from settings.project import GitHub
from tests.rights.account import read
from tests.rights.matrix import MADE, cells
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


def test_no_role_has_what_aws_may_widen(trusting: Template) -> None:
    """ReadOnlyAccess and PowerUserAccess reach everything in the account, and grow with AWS."""
    assert not trusting.resources("aws_iam_role_policy_attachment")


def test_the_planning_role_changes_nothing(trusting: Template) -> None:
    looks = ("Describe", "Get", "List", "View")
    for statement in _statements(trusting, "github/plan").values():
        for action in statement["Action"]:
            assert action.split(":")[1].startswith(looks) or action == "kms:Decrypt", action


def test_a_company_s_boundary_is_every_role_s_and_the_only_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    company = "arn:aws:iam::123456789012:policy/company"
    lines = (
        f"github: {{repository: clinic/platform}}\naccess: {{permissions_boundary: '{company}', role_path: /platform/}}"
    )
    stacks = synthesised_with(lines, tmp_path_factory.mktemp("company"))
    for stack in ("vet-state", "vet-dev"):
        template = Template.read(stacks / f"{stack}/cdk.tf.json")
        assert not template.resources("aws_iam_policy")
        roles = template.resources("aws_iam_role")
        assert roles
        for path, role in roles.items():
            assert (role["permissions_boundary"], role["path"]) == (company, "/platform/"), path
    statement = _statements(Template.read(stacks / "vet-state/cdk.tf.json"), "github/deploy-dev")["MakeRoles"]
    assert statement["Condition"] == {"ArnEquals": {"iam:PermissionsBoundary": company}}
    assert statement["Resource"] == ["arn:aws:iam::123456789012:role/platform/vet-dev-*"]
    reach = list(cells(read(stacks.parent)))
    made_by_dev = {cell.environment for cell in reach if cell.identity == MADE.format("vet-github-deploy-dev")}
    assert "prod" in made_by_dev, "a company's boundary is taken for one that allows everything, as the runbook says"
    assert not [cell for cell in reach if cell.identity == "vet-github-deploy-dev" and cell.environment == "prod"]


def test_their_names_are_outputs_for_github_s_settings(trusting: Template) -> None:
    assert "AWS_PLAN_ROLE" in trusting.output("github_plan_role")["description"]
    assert set(trusting.output("github_deploy_roles")["value"]) == {"dev", "prod"}


def test_a_plan_of_encrypted_states_makes_data_keys_and_no_other_plan_does(
    trusting: Template, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """OpenTofu asks KMS for a new data key whenever it opens its encryption, and a plan file is written with it."""
    assert _statements(trusting, "github/plan")["StateKey"]["Action"] == ["kms:Decrypt"]
    more = "github: {repository: clinic/platform}\nengine: tofu\nstate_encryption: encrypt"
    stacks = synthesised_with(more, tmp_path_factory.mktemp("encrypted"))
    encrypted = Template.read(stacks / "vet-state/cdk.tf.json")
    statement = _statements(encrypted, "github/plan")["StateKey"]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    for name in ("dev", "prod"):
        assert statement["Resource"] == _statements(encrypted, f"github/deploy-{name}")["StateKey"]["Resource"]
