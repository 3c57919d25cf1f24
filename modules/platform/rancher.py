"""Rancher, behind the load balancer that ends TLS (architecture: Rancher Management Platform)."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from settings.environment import Environment
from settings.helm_values import Values

ALLOWED_NETWORKS = "nginx.ingress.kubernetes.io/whitelist-source-range"
"""Annotation of the ingress controller. The load balancer's rules come first; this one reads the host as nginx does, whatever way that was written."""

NAMESPACE = "cattle-system"
"""Rancher finds itself by this namespace, and by the release's name ``rancher``."""

TIMEOUT = 1800
"""Seconds. The first start fetches charts, migrates, and installs Rancher's own parts."""


class Rancher(Construct):
    """The management platform, and before it the first password of its administrator: one of its own making it prints into its log.

    Never ``atomic``: taken back in the middle of its first start it leaves custom kinds and finalizers behind, while a
    half install mends itself or says in its log what it lacks.

    :param wait_for: the ingress controller and cert-manager.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        namespaces: Namespaces,
        wait_for: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        password = Release(
            self,
            "password",
            environment=environment,
            release="rancher-password",
            chart="vet-app-secret",
            namespace=NAMESPACE,
            wait_for=namespaces.ready(NAMESPACE),
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
            wait_for=[*namespaces.ready(NAMESPACE), password, *wait_for],
        ).release
        self.ready: Sequence[ITerraformDependable] = [release]


def _values(environment: Environment) -> Values:
    networks = environment.access.rancher.allowed_cidrs
    limited = {"ingress": {"extraAnnotations": {ALLOWED_NETWORKS: ",".join(map(str, networks))}}} if networks else {}
    return {"hostname": environment.hosts.rancher, "replicas": environment.rancher.replicas, **limited}
