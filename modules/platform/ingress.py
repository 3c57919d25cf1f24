"""The ingress controller, on every server's ports 80 and 443, where the load balancer sends requests."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from modules.platform.upstream import Upstream
from settings import timeouts
from settings.environment import Environment

NAMESPACE = "ingress-nginx"


class IngressController(Construct):
    """ingress-nginx, class ``nginx``. It believes forwarded headers of the load balancer's subnets and of nobody else."""

    def __init__(
        self, scope: Construct, id_: str, *, environment: Environment, upstream: Upstream, namespaces: Namespaces
    ) -> None:
        super().__init__(scope, id_)
        subnets = [str(zone.public) for zone in environment.network.zones.values()]
        controller = Release(
            self,
            "controller",
            environment=environment,
            release="ingress-nginx",
            namespace=NAMESPACE,
            derived={
                "controller": {
                    "config": {
                        "proxy-real-ip-cidr": ",".join(subnets),
                        "keep-alive": str(timeouts.INGRESS_TO_CLIENT),
                        "upstream-keepalive-timeout": str(timeouts.INGRESS_TO_APPLICATION),
                    },
                    "extraArgs": {"publish-status-address": upstream.text("ingress_host")},
                }
            },
            wait_for=namespaces.ready(NAMESPACE),
        ).release
        self.ready: Sequence[ITerraformDependable] = [controller]
