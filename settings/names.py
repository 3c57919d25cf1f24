"""Names of stacks, state keys and physical resources: each decided here, once.

Physical names start with the project's prefix and the environment's name, so that no two environments share one.
"""

from dataclasses import dataclass

from settings.environment import Environment
from settings.project import Project

STATE_STACK = "vet-state"
"""The stack that exists once per AWS account: state bucket and DNS zones."""


def infrastructure_stack(environment_name: str) -> str:
    """Name of the stack with network, compute and load balancers."""
    return f"vet-{environment_name}"


def helm_stack(environment_name: str) -> str:
    """Name of the stack with the Helm releases and the application."""
    return f"vet-{environment_name}-helm"


def state_key(stack: str) -> str:
    """Key of a stack's state in the state bucket."""
    return f"{stack}/terraform.tfstate"


def project_tags(project: Project) -> dict[str, str]:
    """Tags of what belongs to no single environment."""
    return {"Project": project.name_prefix, "ManagedBy": "cdktf", "CostCenter": project.cost_center}


@dataclass(frozen=True)
class Names:
    """Physical names of one environment."""

    project: Project
    environment: Environment

    @property
    def base(self) -> str:
        """What every name starts with, such as ``vet-dev``; also the cluster's name."""
        return f"{self.project.name_prefix}-{self.environment.name}"

    @property
    def cluster_tag(self) -> str:
        """Tag key by which the AWS cloud controller knows the cluster's resources (cloud-provider-aws, prerequisites)."""
        return f"kubernetes.io/cluster/{self.base}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags on everything, for people and for cost allocation."""
        return {**project_tags(self.project), "Environment": self.environment.name, **self.environment.tags}

    def of(self, *parts: str) -> str:
        """A resource's name: ``of("alb", "logs")`` is ``vet-dev-alb-logs``."""
        return "-".join((self.base, *parts))

    def bucket(self, purpose: str) -> str:
        """A bucket's name, unique in all of AWS by the account's number and the region."""
        return f"{self.base}-{purpose}-{self.project.account_id}-{self.environment.region}"

    def target_group(self, purpose: str) -> str:
        """A target group's name; AWS allows 32 characters."""
        return self.of(purpose)

    def secret(self, purpose: str) -> str:
        """A secret's name in Secrets Manager, such as ``vet-dev/server-token``."""
        return f"{self.base}/{purpose}"

    def parameter(self, purpose: str) -> str:
        """A parameter's name in Parameter Store, such as ``/vet-dev/cluster-ca``."""
        return f"/{self.base}/{purpose}"
