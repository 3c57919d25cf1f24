"""What every pod of the application has in common: image, configuration, secrets, limits, and no rights at all."""

from dataclasses import dataclass

from modules.platform.vet_application.configuration import (
    DRAIN_SECONDS,
    LONGEST_REQUEST_SECONDS,
    METRICS_PORT,
    SECRETS,
    Configuration,
)
from modules.platform.vet_application.labels import EMAIL_SECRET, NAME, SECRET, SELECTOR
from modules.terraform_blocks import Block
from settings.pools import OFF_SPOT
from settings.web_identity import DATABASE
from settings.workloads import Application, Resources

USER = "10001"
"""User and group of the image (``vet_app/Dockerfile``), as a number: Kubernetes cannot check a name."""

AWS_TOKEN: Block = {
    "name": "aws",
    "projected": [
        {
            "default_mode": "0440",
            "sources": [
                {
                    "service_account_token": {
                        "audience": "sts.amazonaws.com",
                        "expiration_seconds": 86400,
                        "path": "token",
                    }
                }
            ],
        }
    ],
}
"""The token by which AWS knows the pod (``settings.helm_values.web_identity`` names its path)."""

SPARE_SECONDS = 15
"""Between the last request's end and the kill."""


@dataclass(frozen=True)
class ApplicationPod:
    """Pods of one release."""

    image: str
    """Reference of the image."""

    application: Application
    """Settings."""

    configuration: Configuration
    """Environment variables."""

    off_spot: bool = False
    """Keep away from nodes that AWS may take back with two minutes' notice."""

    account: str | None = None
    """Service account of pods that have an AWS role; without one they have none."""

    def web(self) -> Block:
        """A pod that answers requests."""
        http = {"path": "/readyz", "port": "http"}
        container = {
            **self._container(),
            "port": [
                {"name": "http", "container_port": self.application.container_port},
                {"name": "metrics", "container_port": METRICS_PORT},
            ],
            # At a fifth of a CPU a start takes half a minute; a busy pod may let a probe wait for a thread.
            "startup_probe": _probe({**http, "path": "/livez"}, period=2, failures=90),
            "liveness_probe": _probe({**http, "path": "/livez"}, period=10, failures=6),
            "readiness_probe": _probe(http, period=5, failures=3),
        }
        return {
            **self._pod(container),
            "termination_grace_period_seconds": DRAIN_SECONDS + LONGEST_REQUEST_SECONDS + SPARE_SECONDS,
            "topology_spread_constraint": [
                self._spread("kubernetes.io/hostname"),
                self._spread("topology.kubernetes.io/zone"),
            ],
        }

    def task(self, *command: str) -> Block:
        """A pod that runs one command of ``manage.py`` and ends."""
        return {
            **self._pod({**self._container(), "command": ["python", "manage.py", *command]}),
            "restart_policy": "Never",
        }

    def _pod(self, container: Block) -> Block:
        return {
            "service_account_name": self.account,
            "automount_service_account_token": False,
            "enable_service_links": False,  # a Service named `database` would set variables that libpq does not expect
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": USER,
                "run_as_group": USER,
                "fs_group": USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "affinity": _on_agents(off_spot=self.off_spot),
            "container": [container],
            "volume": [
                {"name": "tmp", "empty_dir": {"size_limit": "64Mi"}},
                _secret_volume("application", {SECRET: ["SECRET_KEY", "SECRET_KEY_FALLBACKS"]}),
                _secret_volume("database", {f"{DATABASE}-app": ["username", "password"], f"{DATABASE}-ca": ["ca.crt"]}),
                *([_secret_volume("email", {EMAIL_SECRET: ["EMAIL_URL"]})] if self.application.email_reminders else []),
                *([AWS_TOKEN] if self.account else []),
            ],
        }

    def _container(self) -> Block:
        secrets = ["application", "database", *(["email"] if self.application.email_reminders else [])]
        return {
            "name": NAME,
            "image": self.image,
            "image_pull_policy": "IfNotPresent",  # a digest never means another image
            "env_from": [{"config_map_ref": {"name": self.configuration.config_map.metadata.name}}],
            "env": [{"name": "POD_NAME", "value_from": {"field_ref": {"field_path": "metadata.name"}}}],
            "resources": {
                "requests": _resources(self.application.requests),
                "limits": _resources(self.application.limits),
            },
            "security_context": {
                "run_as_non_root": True,  # the pod says so too, but the provider would send `false` for the container
                "allow_privilege_escalation": False,
                "read_only_root_filesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volume_mount": [
                {"name": "tmp", "mount_path": "/tmp"},
                *({"name": name, "mount_path": f"{SECRETS}/{name}", "read_only": True} for name in secrets),
                *([{"name": "aws", "mount_path": "/var/run/secrets/aws", "read_only": True}] if self.account else []),
            ],
        }

    def _spread(self, topology: str) -> Block:
        """Evenly over nodes or zones, if there are enough. Only pods of the same release count: with those of the old
        one counted, a rollout could end with all on one node."""
        return {
            "max_skew": 1,
            "topology_key": topology,
            "when_unsatisfiable": "ScheduleAnyway",
            "label_selector": [{"match_labels": {**SELECTOR, "release": self.configuration.release}}],
        }


def _on_agents(*, off_spot: bool) -> Block:
    """Never on servers, dedicated or not (architecture: the agents run the application)."""
    agents = {"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}
    term = {"match_expressions": [agents, *([OFF_SPOT] if off_spot else [])]}
    return {"node_affinity": {"required_during_scheduling_ignored_during_execution": {"node_selector_term": [term]}}}


def _secret_volume(name: str, keys: dict[str, list[str]]) -> Block:
    """Keys of Secrets as files that only the application's group reads."""
    sources = [
        {"secret": [{"name": secret, "items": [{"key": key, "path": key} for key in found]}]}
        for secret, found in keys.items()
    ]
    return {"name": name, "projected": [{"default_mode": "0440", "sources": sources}]}


def _probe(http: Block, *, period: int, failures: int) -> Block:
    return {"http_get": http, "period_seconds": period, "timeout_seconds": 5, "failure_threshold": failures}


def _resources(resources: Resources) -> dict[str, str]:
    return {"cpu": resources.cpu, "memory": resources.memory}
