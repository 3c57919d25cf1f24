"""The way to the cluster: address, certificate authority and credentials, for both providers that talk to it."""

from typing import Any

from cdktf import Fn, Postcondition, TerraformResourceLifecycle, TerraformVariable
from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_helm.provider import HelmProvider, HelmProviderKubernetes
from cdktf_cdktf_provider_kubernetes.data_kubernetes_server_version import DataKubernetesServerVersion
from cdktf_cdktf_provider_kubernetes.provider import KubernetesProvider, KubernetesProviderExec
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.terraform_blocks import typed_block
from nodes.inputs import PENDING
from settings.names import Names

CREDENTIALS = "admin"
"""The role whose credentials the providers take: they make namespaces, roles and custom kinds."""

FOREIGN_METADATA = [r".*cattle\.io/.*"]
"""Labels and annotations that Rancher puts on namespaces; Terraform would take them away at every apply."""


class Cluster(Construct):
    """Providers for Helm and Kubernetes that hold no key.

    They ask Secrets Manager for the credentials each time that they talk to the cluster; the servers renew them. The
    certificate is for the load balancer's name, whichever address leads there, so a tunnel works as well:
    ``TF_VAR_api_address=https://127.0.0.1:6443``. Something in between that ends TLS itself, such as a proxy, has a name
    and a certificate authority of its own: ``TF_VAR_api_host``, ``TF_VAR_cluster_ca``.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, infrastructure: InfrastructureOutputs) -> None:
        super().__init__(scope, id_)
        self._names, self._infrastructure = names, infrastructure
        self.address = self._variable("api_address", "Address of the Kubernetes API, if not the load balancer's")
        self.certificate_authority = self._variable(
            "cluster_ca", "Certificate authority of the Kubernetes API (PEM), if not the published one"
        )
        self.server_name = self._variable(
            "api_host", "Name in the Kubernetes API's certificate, if not the load balancer's"
        )
        connection = self._connection()
        HelmProvider(scope, "helm", kubernetes=typed_block(HelmProviderKubernetes, connection))
        KubernetesProvider(
            scope,
            "kubernetes",
            **{**connection, "exec": [typed_block(KubernetesProviderExec, connection["exec"])]},
            ignore_annotations=FOREIGN_METADATA,
            ignore_labels=FOREIGN_METADATA,
        )
        version = DataKubernetesServerVersion(self, "version")
        self.kubernetes = f"{version.major}.{version.minor}"
        """Kubernetes that answers at the moment, such as ``1.30``: while servers are rolled to another minor, not the one that settings ask for."""

    def _variable(self, name: str, description: str) -> TerraformVariable:
        variable = TerraformVariable(self, name, type="string", default="", nullable=False, description=description)
        variable.override_logical_id(name)
        return variable

    def _connection(self) -> dict[str, Any]:
        infrastructure, region = self._infrastructure, self._names.environment.region
        secret = f"{infrastructure.get('credentials_prefix')}/{CREDENTIALS}"
        return {
            "host": Fn.coalesce([self.address.string_value, infrastructure.get("api_address")]),
            "cluster_ca_certificate": Fn.coalesce([self.certificate_authority.string_value, self._published()]),
            "tls_server_name": Fn.coalesce([self.server_name.string_value, infrastructure.get("api_host")]),
            "exec": {
                "api_version": "client.authentication.k8s.io/v1",
                "command": "aws",
                "args": [
                    *("secretsmanager", "get-secret-value", "--region", region, "--secret-id", secret),
                    *("--query", "SecretString", "--output", "text"),
                ],
            },
        }

    def _published(self) -> str:
        """The parameter that a server fills in. Until then the plan stops, and says what comes first."""
        environment = self._names.environment.name
        stack = self._infrastructure.stack
        parameter = DataAwsSsmParameter(
            self,
            "certificate_authority",
            name=self._infrastructure.get("cluster_ca_parameter"),
            lifecycle=TerraformResourceLifecycle(
                postcondition=[
                    Postcondition(
                        condition=f'${{self.insecure_value != "{PENDING}"}}',
                        error_message=(
                            f"The cluster of {environment} is not there yet: no server has published its certificate "
                            f"authority. If {stack} has just been deployed, its servers are still forming the cluster "
                            f"(10 to 20 minutes): make deploy ENV={environment} waits for them, and make doctor "
                            f"ENV={environment} tells what they do. If it has not been deployed: make deploy "
                            f"ENV={environment}, or cdktf deploy {stack}."
                        ),
                    )
                ]
            ),
        )
        return parameter.insecure_value
