"""Rancher, behind the load balancer that ends TLS (architecture: Rancher Management Platform)."""

import json
from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct
from semver import Version

from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from settings.environment import Environment
from settings.helm_values import Values
from settings.namespaces import DEDICATED_TAINT, SERVER_SELECTOR

ALLOWED_NETWORKS = "nginx.ingress.kubernetes.io/whitelist-source-range"
"""Annotation of the ingress controller. The load balancer's rules come first; this one reads the host as nginx does, whatever way that was written."""

NAMESPACE = "cattle-system"
"""Rancher finds itself by this namespace, and by the release's name ``rancher``."""

FLEET_TAKES_VALUES = Version(2, 9, 0)
"""First line of Rancher whose chart hands values on to Fleet's (rancher/rancher@v2.9.3 chart/values.yaml)."""

TIMEOUT = 1800
"""Seconds. The first start fetches charts, migrates, and installs Rancher's own parts."""


class Rancher(Construct):
    """The management platform, and before it the first password of its administrator: one of its own making it prints into its log.

    Never ``atomic``: taken back in the middle of its first start it leaves custom kinds and finalizers behind, while a
    half install repairs itself or says in its log what it lacks.

    :param depends_on: the ingress controller and cert-manager.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        namespaces: Namespaces,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        password = Release(
            self,
            "password",
            environment=environment,
            release="rancher-password",
            chart="vet-app-secret",
            namespace=NAMESPACE,
            depends_on=namespaces.ready(NAMESPACE),
        ).release
        release = Release(
            self,
            "rancher",
            environment=environment,
            release="rancher",
            namespace=NAMESPACE,
            derived=_values(environment),
            timeout=TIMEOUT,
            atomic=False,
            depends_on=[*namespaces.ready(NAMESPACE), password, *depends_on],
        ).release
        self.ready: Sequence[ITerraformDependable] = [release]


def allowed_networks(environment: Environment) -> str:
    """The networks that reach the operators' hosts, as the annotation has them; empty where everybody does."""
    return ",".join(map(str, environment.access.rancher.allowed_cidrs))


def _values(environment: Environment) -> Values:
    networks = allowed_networks(environment)
    limited = {"ingress": {"extraAnnotations": {ALLOWED_NETWORKS: networks}}} if networks else {}
    return {
        "hostname": environment.hosts.rancher,
        "replicas": environment.rancher.replicas,
        **limited,
        **fleet_on_servers(environment.cluster.releases["rancher"].program, dedicated=environment.servers.dedicated),
    }


def fleet_on_servers(rancher: Version, *, dedicated: bool) -> Values:
    """Values by which Rancher installs Fleet's controllers on dedicated servers, from its first start on: their accounts reach all Secrets.

    Their namespace is Rancher's to make, and Fleet's chart names the operating system itself. Its agent takes no such values
    (docs/decisions/0161-fleets-agent.md).
    """
    if not dedicated or rancher < FLEET_TAKES_VALUES:
        return {}
    label, _, value = SERVER_SELECTOR.partition("=")
    placement = {"nodeSelector": {label: value}, "tolerations": [{"key": DEDICATED_TAINT, "operator": "Exists"}]}
    return {"fleet": json.dumps(placement)}
