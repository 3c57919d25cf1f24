"""Certificates inside the cluster: cert-manager, and Let's Encrypt's issuers."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from settings.helm_values import web_identity
from settings.names import Names
from settings.namespaces import controllers
from settings.web_identity import CERTIFICATES


class Certificates(Construct):
    """cert-manager with its AWS role, and the issuers that prove the environment's zone by DNS-01.

    The issuers are destroyed before cert-manager: only cert-manager can clean up their pending challenges.
    """

    def __init__(
        self, scope: Construct, id_: str, *, names: Names, infrastructure: InfrastructureOutputs, namespaces: Namespaces
    ) -> None:
        super().__init__(scope, id_)
        environment, namespace = names.environment, CERTIFICATES.namespace
        manager = Release(
            self,
            "cert_manager",
            environment=environment,
            release="cert-manager",
            namespace=namespace,
            derived={
                "extraEnv": web_identity(infrastructure.get("pod_role_arns.certificates"), environment.region),
                **controllers("webhook", "cainjector", "startupapicheck", dedicated=environment.servers.dedicated),
            },
            depends_on=namespaces.ready(namespace),
        ).release
        issuers = Release(
            self,
            "issuers",
            environment=environment,
            release="cluster-issuers",
            namespace=namespace,
            derived={
                "email": names.project.email,
                "region": environment.region,
                "hostedZoneId": infrastructure.get("zone_id"),
                "dnsZone": environment.dns_zone,
            },
            depends_on=[manager],
        ).release
        self.manager: Sequence[ITerraformDependable] = [manager]
        self.ready: Sequence[ITerraformDependable] = [issuers]
