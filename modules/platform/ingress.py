"""The ingress controller, on every server's ports 80 and 443, where the load balancer sends requests."""

import json
from collections.abc import Sequence
from typing import Any

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.ingress_logs import nginx_values, traefik_values
from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from settings import timeouts
from settings.cluster import INGRESS
from settings.environment import Environment

NAMESPACE = "ingress-nginx"
"""Of either controller, and the release's name as well: one takes the place of the other, in one step of Helm that takes itself back when it fails."""

ANSWERS = "answers"
"""Traefik's middleware for every request and answer (``helm-values/traefik.yaml``)."""

FORGED = (
    "Forwarded",
    "Proxy",
    "X-API-Host",
    "X-Forwarded-Host",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Real-Ip",
    "X-Url-Scheme",
)
"""What a visitor could say of where a request came from, and the load balancer hands on: Traefik, which believes the load balancer, would hand it
on as well. Nginx sets or leaves out each (``helm-values/ingress-nginx.yaml``). The load balancer sets ``X-Forwarded-Proto`` and ``-Port`` itself."""


CIPHERS = tuple(
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for key in ("ECDSA", "RSA")
    for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
)
"""What Traefik speaks with TLS 1.2, as nginx of its own: by default it takes ciphers in CBC mode with SHA-1 as well."""


def hsts(seconds: int) -> dict[str, str]:
    """The controller's settings of HSTS.

    By default it puts a year and ``includeSubDomains`` over whatever an application answers (ingress-nginx:
    ``rootfs/etc/nginx/lua``, ``header``; user guide, ConfigMap), so the application's own setting has to be said here. It is said of every
    host that is asked by https, Rancher's too.

    :param seconds: ``application.hsts_seconds``; none are no header at all.
    """
    return {
        "hsts": "true" if seconds else "false",
        "hsts-max-age": str(seconds),
        "hsts-include-subdomains": "false",  # the setting is about one host, and says nothing of those below it
        "hsts-preload": "false",
    }


def answers(seconds: int) -> str:
    """Traefik's configuration file: its ciphers, and what it does to the headers of every request, and of every answer as :func:`hsts`,
    ``hide-headers`` and ``server-tokens`` have nginx do.

    :param seconds: ``application.hsts_seconds``; none are no header at all.
    """
    answer = {"Server": "", "X-Powered-By": "", "Strict-Transport-Security": f"max-age={seconds}" if seconds else ""}
    headers = {"customRequestHeaders": dict.fromkeys(FORGED, ""), "customResponseHeaders": answer}
    tls = {"options": {"default": {"cipherSuites": CIPHERS}}}
    return json.dumps({"http": {"middlewares": {ANSWERS: {"headers": headers}}}, "tls": tls})


class IngressController(Construct):
    """ingress-nginx or Traefik, class ``nginx``. It believes the visitor's address of the load balancer's subnets, hands no other forwarded
    header of a visitor on, and tells browsers to come by https for as long as the application's setting says."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        infrastructure: InfrastructureOutputs,
        namespaces: Namespaces,
    ) -> None:
        super().__init__(scope, id_)
        derived = {"nginx": _nginx, "traefik": _traefik}[environment.cluster.ingress]
        controller = Release(
            self,
            "controller",
            environment=environment,
            release=NAMESPACE,
            like=INGRESS[environment.cluster.ingress],
            namespace=NAMESPACE,
            derived=derived(environment, infrastructure.get("ingress_host")),
            depends_on=namespaces.ready(NAMESPACE),
        ).release
        self.ready: Sequence[ITerraformDependable] = [controller]


def _subnets(environment: Environment) -> list[str]:
    """Where the load balancer is."""
    return [str(cidr) for cidr in environment.network.balanced]


def _nginx(environment: Environment, host: str) -> dict[str, Any]:
    config = {
        "proxy-real-ip-cidr": ",".join(_subnets(environment)),
        "keep-alive": str(timeouts.INGRESS_TO_CLIENT),
        "upstream-keepalive-timeout": str(timeouts.INGRESS_TO_APPLICATION),
        **hsts(environment.application.hsts_seconds),
        **(nginx_values() if environment.services.logs.enabled else {}),
    }
    measured = {"metrics": {"enabled": True}} if environment.services.monitoring.enabled else {}
    return {"controller": {"config": config, "extraArgs": {"publish-status-address": host}, **measured}}


def _traefik(environment: Environment, host: str) -> dict[str, Any]:
    idle = {"respondingTimeouts": {"idleTimeout": f"{timeouts.INGRESS_TO_CLIENT}s"}}
    nginx = {"publishStatusAddress": host, "upstreamKeepaliveTimeout": timeouts.TRAEFIK_TO_APPLICATION}
    return {
        "ports": {"websecure": {"transport": idle, "forwardedHeaders": {"trustedIPs": _subnets(environment)}}},
        "providers": {
            "kubernetesIngressNGINX": nginx,
            "file": {"content": answers(environment.application.hsts_seconds)},
        },
        **(traefik_values() if environment.services.logs.enabled else {}),
    }
