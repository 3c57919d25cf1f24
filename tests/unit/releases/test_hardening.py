"""``cluster.hardening: cis`` and the charts: what a hardened cluster refuses, or keeps apart, is nothing that a chart needs."""

from collections.abc import Iterator
from typing import Any

import pytest

from settings.namespaces import EXEMPT, namespaces
from settings.release_sets import SETS
from tests.unit.releases.samples import NAMESPACES, Manifest, Render, installed

ALL = namespaces("vet-app")

GRPC_OF_A_PLUGIN = 9090
"""The backup plugin's Service is asked by the database's operator alone, in the same namespace."""


def asked_by_the_api_server(manifests: list[Manifest]) -> Iterator[tuple[str, int]]:
    """Namespace and container port of what the API server calls: webhooks, and parts of the API."""
    for manifest in manifests:
        named: list[dict[str, Any]] = []
        if manifest["kind"].endswith("WebhookConfiguration"):
            named = [hook["clientConfig"]["service"] for hook in manifest.get("webhooks", [])]
        elif manifest["kind"] == "APIService":
            named = [manifest["spec"]["service"]]
        for service in named:
            yield service["namespace"], container_port(manifests, service["name"], service.get("port", 443))


def container_port(manifests: list[Manifest], service: str, port: int) -> int:
    """Where a Service's port leads: a number, or the name of a port of the pods that it selects."""
    (block,) = [each for each in manifests if each["kind"] == "Service" and each["metadata"]["name"] == service]
    (target,) = [each.get("targetPort", each["port"]) for each in block["spec"]["ports"] if each["port"] == port]
    if isinstance(target, int):
        return target
    for manifest in manifests:
        template = manifest.get("spec", {}).get("template", {})
        if block["spec"]["selector"].items() <= template.get("metadata", {}).get("labels", {}).items():
            for container in template["spec"]["containers"]:
                for each in container.get("ports", []):
                    if each.get("name") == target:
                        return int(each["containerPort"])
    raise AssertionError(f"no pod of {service} has a port {target}")


@pytest.mark.parametrize("set_name", SETS)
def test_what_the_api_server_calls_is_open(render: Render, set_name: str) -> None:
    """It calls from a server's own network, and so does the load balancer: no label of a pod or a namespace fits."""
    seen = set()
    for release in installed(set_name):
        for namespace, port in asked_by_the_api_server(render(release, set_name, "prod")):
            seen.add((namespace, port))
            if namespace in ALL:
                assert port in ALL[namespace].ports, f"{release}: nobody reaches the webhook on {port} of {namespace}"
            else:
                assert namespace in EXEMPT, namespace
    assert {namespace for namespace, _ in seen} >= {"cert-manager", "cnpg-system"}, seen


@pytest.mark.parametrize("set_name", SETS)
def test_ports_of_the_servers_lead_to_open_ports(render: Render, set_name: str) -> None:
    for release in ("ingress-nginx", "traefik"):
        if release not in installed(set_name):
            continue
        for manifest in render(release, set_name, "prod"):
            template = manifest.get("spec", {}).get("template", {})
            for container in template.get("spec", {}).get("containers", []):
                for port in container.get("ports", []):
                    if "hostPort" in port:
                        assert port["containerPort"] in ALL["ingress-nginx"].ports, (release, port)


def test_the_charts_of_others_go_where_a_level_is_said() -> None:
    """A namespace with a level of its own, or one that is exempt: the cluster's own level, restricted, is for what people make."""
    assert {*NAMESPACES.values()} <= {*ALL} | {*EXEMPT}
    assert not {*ALL} & {*EXEMPT}, "an exempt namespace's labels would do nothing"
