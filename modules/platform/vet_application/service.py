"""The way in: a Service of the cluster, and the Ingress that leads the public host to it."""

from cdktf_cdktf_provider_kubernetes.ingress_v1 import IngressV1, IngressV1Spec
from cdktf_cdktf_provider_kubernetes.service_v1 import ServiceV1, ServiceV1Spec
from constructs import Construct

from modules.platform.vet_application.labels import NAME, SELECTOR, labels
from modules.platform.vet_application.object_context import ObjectContext
from modules.terraform_blocks import typed_block
from settings.workloads import Application

LARGEST_BODY = "3m"
"""nginx refuses more: an attachment or an import has at most 2 MiB (``vet_app``)."""


class ApplicationService(Construct):
    """The Service and its Ingress.

    :param host: public name of the application.
    """

    def __init__(
        self, scope: Construct, id_: str, *, context: ObjectContext, host: str, application: Application
    ) -> None:
        super().__init__(scope, id_)
        self.service = ServiceV1(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(NAME, labels("web")),
            spec=typed_block(
                ServiceV1Spec,
                {
                    "type": "ClusterIP",
                    "selector": SELECTOR,
                    "port": [
                        {
                            "name": "http",
                            "port": application.service_port,
                            "target_port": str(application.container_port),
                            "protocol": "TCP",
                        }
                    ],
                },
            ),
        )
        backend = {"service": {"name": NAME, "port": {"name": "http"}}}
        self.ingress = IngressV1(
            self,
            "ingress",
            depends_on=context.depends_on,
            metadata=context.metadata(
                NAME,
                labels("web"),
                annotations={
                    "cert-manager.io/cluster-issuer": application.certificate_issuer,
                    "nginx.ingress.kubernetes.io/proxy-body-size": LARGEST_BODY,
                },
            ),
            spec=typed_block(
                IngressV1Spec,
                {
                    "ingress_class_name": "nginx",
                    "tls": [{"hosts": [host], "secret_name": f"{NAME}-tls"}],
                    "rule": [
                        {"host": host, "http": {"path": [{"path": "/", "path_type": "Prefix", "backend": backend}]}}
                    ],
                },
            ),
        )
