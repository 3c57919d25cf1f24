"""Names of stacks, state keys and physical resources: each decided here, once.

Physical names start with the project's prefix and the environment's name, so that no two environments share one.
"""

from dataclasses import dataclass
from hashlib import sha256

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


def state_encryption_key(project: Project) -> str:
    """Name of the key that encrypts all state; its alias in KMS is ``alias/`` and this."""
    return f"{project.name_prefix}-state"


def replica_bucket(project: Project) -> str:
    """Name of the bucket with the copy of all state."""
    return f"{project.state_bucket}-replica"


@dataclass(frozen=True)
class Limit:
    """How long a kind of physical name may be, and how much of it constructs may use."""

    what: str
    """The kind of name, in words."""

    characters: int
    """AWS's limit."""

    purpose: int
    """Characters that the constructs' part, ``purpose``, may have. The rest is for prefix, environment, account and
    region."""


LOAD_BALANCER = Limit("load balancer and target group", 32, 15)
"""Elastic Load Balancing: CreateLoadBalancer, CreateTargetGroup."""

BUCKET = Limit("bucket", 63, 11)
"""Amazon S3: bucket naming rules."""

ROLE = Limit("IAM role", 64, 30)
"""AWS IAM: quotas, role names."""


SNAPSHOT_TAG = "Snapshot"
"""Key of the tag on volumes that Data Lifecycle Manager takes snapshots of; its value is the environment's base name."""


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
        """Tag key by which the AWS cloud controller knows the cluster's resources (cloud-provider-aws,
        prerequisites)."""
        return f"kubernetes.io/cluster/{self.base}"

    @property
    def interruption_tag(self) -> str:
        """Tag key of machines that this cluster's interruption handler empties: it looks for the key alone, so the key holds the cluster."""
        return f"aws-node-termination-handler/{self.base}"

    @property
    def own_tags(self) -> dict[str, str]:
        """The tags that the project itself sets; an environment's file cannot replace them."""
        return {**project_tags(self.project), "Environment": self.environment.name}

    @property
    def tags(self) -> dict[str, str]:
        """Tags on everything, for people and for cost allocation."""
        return {**self.own_tags, **self.environment.tags}

    def node_tags(self, role: str) -> dict[str, str]:
        """Tags by which the cloud controller and the operations find a node: ``server`` or ``agent``."""
        return {self.cluster_tag: "owned", "vet:cluster": self.base, "vet:role": role}

    def resource(self, *parts: str) -> str:
        """A resource's name: ``resource("alb", "logs")`` is ``vet-dev-alb-logs``."""
        return "-".join((self.base, *parts))

    @property
    def agent_groups(self) -> str:
        """ARN pattern of the agents' auto-scaling groups; AWS puts an id of its own before the name."""
        where = f"arn:aws:autoscaling:{self.environment.region}:{self.project.account_id}"
        return f"{where}:autoScalingGroup:*:autoScalingGroupName/{self.resource('agent', '*')}"

    def bucket(self, purpose: str, region: str | None = None) -> str:
        """A bucket's name, unique in all of AWS by the account's number and the region (the environment's, if none is
        given); ``purpose`` has at most 11 characters."""
        place = region or self.environment.region
        return f"{self.base}-{_fitting(BUCKET, purpose)}-{self.project.account_id}-{place}"

    def target_group(self, purpose: str) -> str:
        """The name of a target group or load balancer; ``purpose`` has at most 15 characters."""
        return self.resource(_fitting(LOAD_BALANCER, purpose))

    def role(self, purpose: str) -> str:
        """An IAM role's name; ``purpose`` has at most 30 characters."""
        return self.resource(_fitting(ROLE, purpose))

    def too_long(self) -> list[tuple[Limit, str]]:
        """Kinds of names that this prefix and environment would make too long, each with the longest name that would
        arise."""
        longest = {
            LOAD_BALANCER: self.target_group("x" * LOAD_BALANCER.purpose),
            BUCKET: self.bucket("x" * BUCKET.purpose),
            ROLE: self.role("x" * ROLE.purpose),
        }
        return [(limit, name) for limit, name in longest.items() if len(name) > limit.characters]

    @property
    def roles(self) -> str:
        """ARN pattern of the environment's roles."""
        return self._iam("role", f"{self.base}-*")

    @property
    def boundary(self) -> str:
        """Name of the policy beyond which no role of the environment reaches."""
        return self.resource("boundary")

    @property
    def boundary_arn(self) -> str:
        """ARN of the permissions boundary of the environment's roles: the company's, if there is one, or the one by this name."""
        return self.project.access.permissions_boundary or self._iam("policy", self.boundary)

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        """ARN of something of this account in a region: the environment's, or ``*``, or none with an empty text."""
        place = self.environment.region if region is None else region
        return f"arn:aws:{service}:{place}:{self.project.account_id}:{resource}"

    def _iam(self, kind: str, name: str) -> str:
        return self.arn("iam", f"{kind}{self.project.access.role_path}{name}", region="")

    @property
    def runbooks(self) -> str:
        """Where the runbooks are read: in the project's repository, if the settings name one, or else by their path in it."""
        github = self.project.github
        return f"https://github.com/{github.repository}/blob/main/docs/runbooks" if github else "docs/runbooks"

    @property
    def application_repository(self) -> str:
        """Name of the ECR repository with the application's images, such as ``vet-dev/vet-app``."""
        return f"{self.base}/vet-app"

    @property
    def key_pair(self) -> str | None:
        """Name of the EC2 key pair, if nodes accept an SSH key. It holds the key's fingerprint, so another key is another
        pair."""
        public_key = self.environment.access.ssh.public_key
        if public_key is None:
            return None
        kind_and_key = " ".join(public_key.split()[:2])
        return self.resource(sha256(kind_and_key.encode()).hexdigest()[:12])

    @property
    def metrics_namespace(self) -> str:
        """CloudWatch namespace of what the nodes measure, such as ``vet-dev/nodes``: an environment writes to its own alone."""
        return f"{self.base}/nodes"

    def log_group(self, purpose: str) -> str:
        """A log group's name in CloudWatch, such as ``/vet-dev/audit``."""
        return f"{self.log_groups}/{purpose}"

    @property
    def log_groups(self) -> str:
        """What the names of an environment's log groups begin with, such as ``/vet-dev``."""
        return f"/{self.base}"

    def secret(self, purpose: str) -> str:
        """A secret's name in Secrets Manager, such as ``vet-dev/server-token``."""
        return f"{self.base}/{purpose}"

    def registry_secret(self, name: str) -> str:
        """Name of the secret with a registry's password, which the team makes: below the environment's own, so that no other environment's nodes
        read it, and apart from those of the cluster."""
        return self.secret(f"registries/{name}")

    def parameter(self, purpose: str) -> str:
        """A parameter's name in Parameter Store, such as ``/vet-dev/cluster-ca``."""
        return f"/{self.base}/{purpose}"


def _fitting(limit: Limit, purpose: str) -> str:
    """The purpose; ValueError (a mistake of a construct, not of a team's settings) if names with it might not fit."""
    if len(purpose) > limit.purpose:
        raise ValueError(
            f"{limit.what}: the purpose {purpose!r} has {len(purpose)} characters, {limit.purpose} are kept for it"
        )
    return purpose
