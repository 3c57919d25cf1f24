"""Rules about names and tags."""

import re
from collections.abc import Iterator

from settings.aws_constraints import constraint
from settings.names import Names, infrastructure_stack
from settings.problems import Finding
from settings.project import Project
from settings.rules.registry import WARNINGS, error, project_error
from settings.validation import suggestion

RESERVED_TAGS = ("aws:", "vet:", "kubernetes.io/", "k8s.io/")
"""Starts of tag keys that AWS, this platform (it finds an environment's machines by them), Kubernetes' cloud controller and the cluster
autoscaler read."""

EXTRA_TAGS = 6
"""An object in S3 has ten tags (Amazon S3: object tagging), of which the project sets four."""

ROLES_OF_OTHERS = {"github": "workflows", "operate": "operators"}
"""Second parts of names of roles that no environment may have as its name, and whose they are."""


@error
def environment_name_free(name: str) -> Iterator[Finding]:
    """Stack names stay unique: ``vet-state`` is the account's own, and ``vet-<env>-helm`` belongs to ``<env>``."""
    if name == "state":
        rule = f"must not be state: the stack {infrastructure_stack('state')} holds all Terraform state"
        yield Finding(("name",), rule, "rename the file")
    if name.endswith("-helm"):
        rule = (
            f"must not end with -helm: {infrastructure_stack(name)} is the Helm stack of {name.removesuffix('-helm')}"
        )
        yield Finding(("name",), rule, "rename the file")


@error
def environment_name_apart(name: str) -> Iterator[Finding]:
    """Roles of workflows and of operators are called ``<prefix>-github-...`` (modules/aws/github_roles.py) and
    ``<prefix>-operate-...`` (modules/aws/operator_role.py)."""
    if name in ROLES_OF_OTHERS:
        rule = f"must not be {name}: the roles of {ROLES_OF_OTHERS[name]} have such names"
        yield Finding(("name",), rule, "rename the file")


def _kinds(names: Names) -> dict[str, tuple[str, ...]]:
    """Physical names that the project makes, by the attribute of Terraform whose constraint they have."""
    return {
        "aws_lb.name": (names.base, names.resource("api")),
        "aws_security_group.name": (names.resource("nodes"),),
        "aws_s3_bucket.bucket": (names.bucket("nodes"),),
        "aws_ecr_repository.name": (names.application_repository,),
        "aws_ssm_parameter.name": (names.parameter("cluster-ca"),),
        "aws_secretsmanager_secret.name": (names.secret("server-token"),),
    }


@error
def physical_names_taken(names: Names) -> Iterator[Finding]:
    """AWS keeps some names for itself (``settings/aws_constraints.yaml``)."""
    for attribute, physical in _kinds(names).items():
        known = constraint(attribute)
        for broken in dict.fromkeys(rule for name in physical for rule in known.broken_by(name)):
            if not broken.startswith("have at most"):  # another rule says by how much
                rule = f"must make a {known.what} that AWS takes; {physical[0]} must {broken} ({known.source})"
                yield Finding(("name",), rule, "rename the file, or change name_prefix in _project.yaml")


@project_error
def state_bucket_taken(project: Project) -> Iterator[Finding]:
    """Amazon S3 keeps some names for itself."""
    known = constraint("aws_s3_bucket.bucket")
    for broken in known.broken_by(project.state_bucket):
        rule = f"must {broken} ({known.source})"
        yield Finding(("state_bucket",), rule, "choose another name, such as one that starts with your company's")


@error
def physical_names_fit(names: Names) -> Iterator[Finding]:
    """AWS limits names: load balancers and target groups 32, buckets 63, IAM roles 64 characters (sources in
    ``settings/names.py``)."""
    for limit, longest in names.too_long():
        excess = len(longest) - limit.characters
        rule = (
            f"must leave room for a {limit.what} name of {limit.characters} characters; {excess} too many after "
            f"{names.base}"
        )
        remedy = f"shorten the file's name or name_prefix in _project.yaml by {excess} together"
        yield Finding(("name",), rule, remedy)


@error
def tag_keys_free(tags: dict[str, str], names: Names) -> Iterator[Finding]:
    """Tags that the project, AWS or Kubernetes set or read are not to be set by hand."""
    own = {key.lower() for key in (*names.own_tags, "Name", "Snapshot")}
    for key in tags:
        if key.lower() in own or key.lower().startswith(RESERVED_TAGS):
            rule = (
                f"is reserved: the platform sets {', '.join(names.own_tags)}, Name and Snapshot; {', '.join(RESERVED_TAGS)} are "
                "read by others"
            )
            yield Finding(("tags", key), rule, "choose another key")


@error
def tags_allowed(tags: dict[str, str]) -> Iterator[Finding]:
    """Tags have keys of 1 to 128 and values of at most 256 letters, digits, blanks and ``_.:/=+-@`` (AWS: tag naming
    limits)."""
    for key, value in tags.items():
        if not re.fullmatch(r"[\w .:/=+@-]{1,128}", key) or not re.fullmatch(r"[\w .:/=+@-]{0,256}", value):
            rule = "must be letters, digits, blanks and _ . : / = + - @ only, 128 in the key and 256 in the value"
            yield Finding(("tags", key), rule, "leave the other characters out")


@error
def tags_few(tags: dict[str, str]) -> Iterator[Finding]:
    """An object in S3 has at most ten tags (Amazon S3: object tagging)."""
    if len(tags) > EXTRA_TAGS:
        rule = (
            f"must be at most {EXTRA_TAGS}: an object in S3 has ten tags and the platform sets four; there are "
            f"{len(tags)}"
        )
        yield Finding(("tags",), rule, "remove some", value=", ".join(tags))


@error
def acknowledged_codes_known(acknowledged_warnings: dict[str, str]) -> Iterator[Finding]:
    """A code that no warning has is a typo: the warning would stay unacknowledged."""
    for code in acknowledged_warnings:
        if code not in WARNINGS:
            yield Finding(
                ("acknowledged_warnings", code), "must be the code of a warning", suggestion(code, sorted(WARNINGS))
            )


@project_error
def state_bucket_apart(project: Project) -> Iterator[Finding]:
    """The state's bucket is not one that an environment might create."""
    if re.fullmatch(rf"{project.name_prefix}-.+-{project.account_id}-[a-z0-9-]+", project.state_bucket):
        rule = "must not look like an environment's bucket, <prefix>-<env>-<purpose>-<account>-<region>"
        yield Finding(("state_bucket",), rule, "choose another name, such as one that starts with your company's")
