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


def hsts(seconds: int) -> dict[str, str]:
    """The controller's settings of HSTS.

    By default it puts a year and ``includeSubDomains`` over whatever an application answers (ingress-nginx:
    ``rootfs/etc/nginx/lua``, ``header``; user guide, ConfigMap), so the application's own setting has to be said here.

    :param seconds: ``application.hsts_seconds``; none are no header at all.
    """
    return {
        "hsts": "true" if seconds else "false",
        "hsts-max-age": str(seconds),
        "hsts-include-subdomains": "false",  # the setting is about one host, and says nothing of those below it
        "hsts-preload": "false",
    }


class IngressController(Construct):
    """ingress-nginx, class ``nginx``. It believes the visitor's address of the load balancer's subnets and no forwarded header of anybody, and
    tells browsers to come by https for as long as the application's setting says."""

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
                        **hsts(environment.application.hsts_seconds),
                    },
                    "extraArgs": {"publish-status-address": upstream.text("ingress_host")},
                }
            },
            wait_for=namespaces.ready(NAMESPACE),
        ).release
        self.ready: Sequence[ITerraformDependable] = [controller]
