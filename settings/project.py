"""What a team sets on its first day, once for all environments: ``environments/_project.yaml``."""

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Domain, Region, Section


class GitHub(Section):
    """The repository whose workflows may plan and deploy, without a key stored anywhere."""

    repository: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9._-]{1,100}|@[1-9][0-9]*/[A-Za-z0-9._-]{1,100}@[1-9][0-9]*)$",
            examples=["clinic/platform", "clinic@583231/platform@1296269"],
        ),
    ]
    """Owner and name; with their numbers (``OWNER@ID/NAME@ID``) for a repository made or renamed since 15 July 2026, whose
    tokens have them (GitHub: immutable subject claims). docs/runbooks/github-actions.md tells how to find the numbers."""


class ProjectAccess(Section):
    """What a company asks of all roles in its accounts."""

    permissions_boundary: (
        Annotated[
            str,
            Field(
                pattern=r"^arn:aws:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,512}$",
                examples=["arn:aws:iam::123456789012:policy/company-boundary"],
            ),
        ]
        | None
    ) = None
    """ARN of the company's boundary, which every role gets instead of the environment's own: a role has one. It must then be
    what keeps environments apart (docs/runbooks/access.md: what AWS lets whom do)."""

    role_path: Annotated[str, Field(pattern=r"^/([A-Za-z0-9+=,.@_-]{1,128}/){0,3}$", examples=["/platform/"])] = "/"
    """Path of all roles and of their boundaries, before the first deploy: a role cannot move."""


class Project(Section):
    """The values that make this platform yours rather than anybody's."""

    name_prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,10}[a-z0-9]$", examples=["vet"])] = "vet"
    """First part of every physical name (2 to 12 characters): ``vet`` gives the load balancer ``vet-dev``."""

    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$", examples=['"123456789012", in quotes'])]
    """The AWS account, 12 digits in quotes. The provider refuses to touch any other, so a wrong profile fails the
    plan."""

    region: Region = "us-east-1"
    """The AWS region of the state bucket, and of every environment that does not name its own."""

    domain: Domain
    """The DNS domain that the team owns. ``{domain}`` in a host of an environment stands for it."""

    former_zones: list[Domain] = []
    """DNS zones that no environment has any more and that still answer for names that people know. ``make state`` keeps them, with what delegates to
    them, until they are taken out here (docs/runbooks/changing-settings.md, another zone)."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["platform@example.com"])]
    """Where Let's Encrypt and alarms write to."""

    state_bucket: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", examples=["clinic-terraform-state"])
    ]
    """Name of the S3 bucket for all Terraform state: 3 to 63 characters, unique in all of AWS."""

    engine: Literal["terraform", "tofu"] | None = None
    """Program that applies the stacks: ``terraform`` or ``tofu`` (OpenTofu). Left out, it is the first of the two that is on
    the PATH; ``TERRAFORM_BINARY_NAME`` wins over both. Moving what is deployed: docs/opentofu.md."""

    state_encryption: Literal["encrypt", "decrypt"] | None = None
    """``encrypt``: OpenTofu encrypts state and plans with the state's key before it writes them, so that anybody who may read the
    bucket reads nothing without the key. ``decrypt``: it writes them plainly again, which comes before this is taken out.
    Needs ``engine: tofu``. ``vet-state``, which makes the key, stays as the bucket encrypts it."""

    github: GitHub | None = None
    """Left out, AWS trusts no workflow. ``vet-state`` makes the roles; docs/runbooks/github-actions.md tells the rest."""

    access: ProjectAccess = ProjectAccess()
    """What a company asks of roles."""

    replica_region: Region | None = None
    """A second region, to which the state of all stacks is copied as it is written. Terraform deletes the copy only while the region is named:
    for none, or for another region, first ``delete_copies: true``."""

    delete_copies: bool = False
    """Whether the copy of the state in ``replica_region`` is deleted, at the next ``make state``. Then both settings can be taken out."""

    cost_center: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[\w .:/=+@-]+$", examples=["veterinary-platform"])
    ] = "veterinary-platform"
    """Value of the ``CostCenter`` tag on everything, for cost allocation."""


PLACEHOLDERS = {
    "account_id": "123456789012",
    "domain": "example.com",
    "email": "platform@example.com",
    "state_bucket": "vet-terraform-state-example",
}
"""First-day values as they come: they synthesise and apply in an emulator, and the guided commands stop at them."""
