"""Which of the two ingress controllers is installed, and that either is told the same."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import main
from modules.platform.vet_application.configuration import LONGEST_REQUEST_SECONDS
from settings import load, timeouts
from settings.cluster import INGRESS, ClusterSettings
from settings.helm_values import FOLDER
from settings.release_sets import check, release_set
from tests.template import Template

CONTROLLERS = sorted(INGRESS)


@pytest.fixture(scope="module", params=CONTROLLERS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Template]:
    """dev's Helm stack with each controller, and the controller's name."""
    return request.param, _synthesised(tmp_path_factory.mktemp(request.param), request.param)["vet-dev-helm"]


def _synthesised(folder: Path, ingress: str, hsts: int = 4711) -> Mapping[str, Template]:
    settings = load()
    environment = settings.environment("dev")
    cluster = environment.cluster.model_copy(update={"ingress": ingress})
    application = environment.application.model_copy(update={"hsts_seconds": hsts})
    changed = environment.model_copy(update={"cluster": cluster, "application": application})
    main.build_app(replace(settings, environments=(changed,)), outdir=str(folder)).synth()
    return {path.parent.name: Template.read(path) for path in folder.glob("stacks/*/cdk.tf.json")}


def _values(template: Template) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(template.one("helm_release", "ingress/controller")["values"][0])
    return content


def test_there_is_one_controller_and_it_is_the_one_that_was_asked_for(stack: tuple[str, Template]) -> None:
    asked, template = stack
    charts = {block["chart"] for block in template.resources("helm_release").values()}
    every = {release_set("documented")[component].chart.name for component in INGRESS.values()}
    assert charts & every == {release_set("documented")[INGRESS[asked]].chart.name}


def test_one_takes_the_place_of_the_other_in_one_step_that_takes_itself_back(stack: tuple[str, Template]) -> None:
    """Terraform makes a release again when its name or namespace is another; Helm exchanges the chart of the same release."""
    _, template = stack
    release = template.one("helm_release", "ingress/controller")
    assert (release["name"], release["namespace"], release["atomic"]) == ("ingress-nginx", "ingress-nginx", True)


def test_the_ingresses_are_the_same_with_either(tmp_path: Path) -> None:
    kinds = ("kubernetes_ingress_v1", "kubernetes_network_policy_v1")
    nginx, traefik = (_synthesised(tmp_path / each, each)["vet-dev-helm"] for each in CONTROLLERS)
    for kind in kinds:
        assert nginx.resources(kind) == traefik.resources(kind)
    rancher = [json.loads(each.one("helm_release", "rancher/rancher")["values"][0]) for each in (nginx, traefik)]
    assert rancher[0] == rancher[1]


def test_the_infrastructure_does_not_know_which_it_is(tmp_path: Path) -> None:
    """So the load balancer keeps its address, and no server is rolled."""
    nginx, traefik = (_synthesised(tmp_path / each, each)["vet-dev"] for each in CONTROLLERS)
    written = [
        {key: value for key, value in each.document.items() if key != "output"} for each in (nginx, traefik)
    ]  # the settings of the apply are an output
    assert written[0] == written[1]


def test_only_the_load_balancer_s_subnets_may_tell_addresses(stack: tuple[str, Template]) -> None:
    asked, template = stack
    values = _values(template)
    ranges = (
        values["controller"]["config"]["proxy-real-ip-cidr"].split(",")
        if asked == "nginx"
        else values["ports"]["websecure"]["forwardedHeaders"]["trustedIPs"]
    )
    zones = load().environment("dev").network.availability_zones.values()
    assert ranges == [str(zone.public) for zone in zones]


def test_hsts_is_the_application_s(stack: tuple[str, Template]) -> None:
    asked, template = stack
    values = _values(template)
    if asked == "nginx":
        assert values["controller"]["config"]["hsts-max-age"] == "4711"
    else:
        headers = json.loads(values["providers"]["file"]["content"])["http"]["middlewares"]["answers"]["headers"]
        assert headers["customResponseHeaders"]["Strict-Transport-Security"] == "max-age=4711"
        assert values["ports"]["websecure"]["http"]["middlewares"] == ["answers@file"]


def test_without_hsts_traefik_says_nothing(tmp_path: Path) -> None:
    values = _values(_synthesised(tmp_path, "traefik", hsts=0)["vet-dev-helm"])
    headers = json.loads(values["providers"]["file"]["content"])["http"]["middlewares"]["answers"]["headers"]
    assert headers["customResponseHeaders"]["Strict-Transport-Security"] == "", "an empty value takes a header away"


def test_connections_outlast_the_load_balancer_s_with_either(stack: tuple[str, Template]) -> None:
    asked, template = stack
    values = _values(template)
    if asked == "nginx":
        config = values["controller"]["config"]
        seconds = int(config["keep-alive"]), int(config["upstream-keepalive-timeout"])
    else:
        idle = values["ports"]["websecure"]["transport"]["respondingTimeouts"]["idleTimeout"]
        seconds = int(re.sub("s$", "", idle)), values["providers"]["kubernetesIngressNGINX"]["upstreamKeepaliveTimeout"]
    kept = {"nginx": timeouts.INGRESS_TO_APPLICATION, "traefik": timeouts.TRAEFIK_TO_APPLICATION}[asked]
    assert seconds == (timeouts.INGRESS_TO_CLIENT, kept)


def test_a_connection_that_traefik_kept_leaves_time_for_the_longest_page() -> None:
    """Its minute for an answer begins when the connection was last used."""
    assert timeouts.TRAEFIK_TO_APPLICATION + LONGEST_REQUEST_SECONDS + timeouts.MARGIN <= 60


def test_who_reaches_rancher_is_told_by_what_the_load_balancer_adds(tmp_path: Path) -> None:
    """By default Traefik compares the load balancer's own address, and refuses everybody."""
    provider = _values(_synthesised(tmp_path, "traefik")["vet-dev-helm"])["providers"]["kubernetesIngressNGINX"]
    assert provider["ipAllowListStrategy"] == {"depth": 1}


def test_traefik_speaks_no_cipher_that_nginx_refuses(tmp_path: Path) -> None:
    values = _values(_synthesised(tmp_path, "traefik")["vet-dev-helm"])
    suites = json.loads(values["providers"]["file"]["content"])["tls"]["options"]["default"]["cipherSuites"]
    assert suites
    assert all(each.startswith("TLS_ECDHE_") and re.search("GCM|CHACHA20", each) for each in suites), suites


def test_a_pod_that_is_gone_is_noticed_alike_and_what_hangs_is_not_asked_again(stack: tuple[str, Template]) -> None:
    """Traefik's own default for a connection is a minute (pkg/provider/kubernetes/ingress-nginx: ``defaultProxyConnectTimeout``), and both ask
    a second and a third time for a page that hangs, unless a time is named."""
    asked, template = stack
    values = _values(template)
    if asked == "nginx":
        config = values["controller"]["config"]
        numbers = int(config["proxy-connect-timeout"]), int(config["proxy-next-upstream-timeout"])
    else:
        provider = values["providers"]["kubernetesIngressNGINX"]
        numbers = provider["proxyConnectTimeout"], provider["proxyNextUpstreamTimeout"]
    connect, again = numbers
    assert numbers == (5, 15)
    assert 2 * connect < again, "a second pod that is gone would leave no time for the third"


def test_both_are_on_every_server_s_443_and_answer_ping(tmp_path: Path) -> None:
    nginx, traefik = (_values(_synthesised(tmp_path / each, each)["vet-dev-helm"]) for each in CONTROLLERS)
    assert nginx["controller"]["nodeSelector"] == traefik["nodeSelector"]
    assert nginx["controller"]["tolerations"] == traefik["tolerations"]
    assert (nginx["controller"]["healthCheckPath"], nginx["controller"]["hostPort"]) == ("/ping", {"enabled": True})
    assert (traefik["ports"]["web"]["hostPort"], traefik["ports"]["websecure"]["hostPort"]) == (80, 443)
    assert "--ping.entryPoint=websecure" in traefik["additionalArguments"]


@pytest.mark.parametrize(("ingress", "refused"), [("nginx", True), ("traefik", False)])
def test_kubernetes_that_has_no_nginx_any_more_refuses_it_and_only_it(
    ingress: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 4.15.107 ended with Kubernetes 1.34, and `current` were of 1.35."""
    releases = (
        load().environment("dev").cluster.model_copy(update={"release_set": "current", "ingress": ingress}).releases
    )
    pinned = release_set("current")["ingress-nginx"]
    shorter = pinned.fits["kubernetes"].model_copy(update={"range": ">= 1.33.0, < 1.35.0-0"})
    monkeypatch.setitem(pinned.info.fits, "kubernetes", shorter)
    assert [misfit.key for misfit in check(releases)] == (["ingress-nginx"] if refused else [])


def test_every_choice_is_a_component_of_every_set() -> None:
    assert set(get_args(ClusterSettings.model_fields["ingress"].annotation)) == set(INGRESS)
    for name in ("documented", "current"):
        assert set(INGRESS.values()) <= set(release_set(name).pins)


def test_nothing_a_visitor_says_of_the_way_of_a_request_reaches_an_application(stack: tuple[str, Template]) -> None:
    """The load balancer hands on what a visitor sends, but for the address, the protocol and the port."""
    controller, template = stack
    forged = {"Forwarded", "X-API-Host", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Url-Scheme"}
    if controller == "traefik":
        text = json.loads(_values(template)["providers"]["file"]["content"])
        emptied = text["http"]["middlewares"]["answers"]["headers"]["customRequestHeaders"]
        forged |= {"Proxy", "X-Forwarded-Host", "X-Real-Ip"}  # nginx sets these itself
    else:
        own = yaml.safe_load((FOLDER / "ingress-nginx.yaml").read_text())["controller"]
        assert own["config"]["use-forwarded-headers"] == "false"
        emptied = own["proxySetHeaders"]
    assert {name for name, value in emptied.items() if value == ""} == forged
    (block,) = [
        each for each in template.resources("kubernetes_config_map_v1").values() if "TRUSTED_PROXIES" in each["data"]
    ]
    assert block["data"]["TRUSTED_PROXIES"] == {"nginx": "1", "traefik": "2"}[controller]
