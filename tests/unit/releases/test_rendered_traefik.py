"""Traefik's chart, rendered with our values, has what ingress-nginx's has: ports, servers, probes, class, whom it believes."""

from typing import Any

import pytest

from settings.namespaces import DEDICATED_TAINT
from settings.release_sets import SETS
from tests.unit.releases.samples import Manifest, Render, kinds, one

each = pytest.mark.parametrize(("set_name", "environment"), [(s, e) for s in SETS for e in ("dev", "prod")])


def _pod(manifests: list[Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = one(manifests, "DaemonSet", "traefik")["spec"]["template"]["spec"]
    return spec


@each
def test_it_is_on_every_server_by_host_port(render: Render, set_name: str, environment: str) -> None:
    pod = _pod(render("traefik", set_name, environment))
    assert pod["nodeSelector"]["node-role.kubernetes.io/control-plane"] == "true"
    assert {"key": DEDICATED_TAINT, "operator": "Exists"} in pod["tolerations"]
    ports = {port["name"]: port.get("hostPort") for port in pod["containers"][0]["ports"]}
    assert ports == {"web": 80, "websecure": 443, "traefik": None, "metrics": None}


@each
def test_ping_is_answered_where_the_load_balancer_asks(render: Render, set_name: str, environment: str) -> None:
    container = _pod(render("traefik", set_name, environment))["containers"][0]
    websecure = next(port["containerPort"] for port in container["ports"] if port["name"] == "websecure")
    assert {"--ping=true", "--ping.entryPoint=websecure"} <= set(container["args"])
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/ping", "port": websecure, "scheme": "HTTPS"}


@each
def test_it_reads_the_ingresses_of_class_nginx_and_those_without_one(
    render: Render, set_name: str, environment: str
) -> None:
    manifests = render("traefik", set_name, environment)
    ingress_class = one(manifests, "IngressClass", "nginx")
    controller = ingress_class["spec"]["controller"]
    assert ingress_class["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"] == "true"
    nginx = one(render("ingress-nginx", set_name, environment), "IngressClass", "nginx")
    assert controller == nginx["spec"]["controller"], "a class's controller cannot be changed"
    provider = "--providers.kubernetesingressnginx"
    args = _pod(manifests)["containers"][0]["args"]
    assert {f"{provider}.controllerClass={controller}", f"{provider}.watchIngressWithoutClass=true"} <= set(args)
    assert f"{provider}.publishStatusAddress=alb.example.com" in args
    assert f"{provider}.allowSnippetAnnotations=false" in args
    others = [
        arg for arg in args if arg.startswith("--providers.") and not arg.startswith((provider, "--providers.file"))
    ]
    assert others == [], "another provider would read the same Ingresses a second time"


@each
def test_forwarded_headers_are_believed_of_the_load_balancer_alone(
    render: Render, set_name: str, environment: str
) -> None:
    args = _pod(render("traefik", set_name, environment))["containers"][0]["args"]
    believed = [arg for arg in args if "forwardedHeaders" in arg or "proxyProtocol" in arg]
    assert believed == ["--entryPoints.websecure.forwardedHeaders.trustedIPs=10.0.1.0/24,10.0.2.0/24"]


@each
def test_traefik_opens_no_dashboard_and_no_port_that_nginx_does_not_open(
    render: Render, set_name: str, environment: str
) -> None:
    manifests = render("traefik", set_name, environment)
    assert not {"Service", "IngressRoute", "CustomResourceDefinition"} & kinds(manifests)
    args = _pod(manifests)["containers"][0]["args"]
    assert {"--api.dashboard=false", "--global.checkNewVersion=false"} <= set(args)
    assert not any("insecure" in arg.lower() and not arg.endswith("false") for arg in args)
