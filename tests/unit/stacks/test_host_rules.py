"""Rancher for some networks: what the load balancer answers a visitor by host and address, as its rules say."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

import main
from settings import load
from settings.load_balancer import NETWORKS_A_RULE
from tests.changes import one_environment
from tests.template import Template

APPLICATION, RANCHER = "vet-app.dev.example.com", "rancher.dev.example.com"
NETWORKS = [f"198.51.{third}.0/24" for third in range(100, 105)]
Reached = Callable[[str, str], bool]


@pytest.fixture
def synthesise(tmp_path: Path) -> Callable[[list[str]], Template]:
    def synthesised(networks: list[str]) -> Template:
        settings = load(one_environment(tmp_path, {"access": {"rancher": {"allowed_cidrs": networks}}}))
        main.build_app(settings, outdir=str(tmp_path / "out")).synth()
        return Template.read(tmp_path / "out/stacks/vet-dev/cdk.tf.json")

    return synthesised


def holds(condition: dict[str, Any], host: str, address: str) -> bool:
    """Whether a request meets a condition (AWS: condition types for listener rules): hosts by pattern, addresses by network."""
    if "host_header" in condition:
        return any(fnmatchcase(host.lower(), pattern) for pattern in condition["host_header"]["values"])
    return any(IPv4Address(address) in IPv4Network(each) for each in condition["source_ip"]["values"])


def reached(template: Template, host: str, address: str) -> bool:
    """Whether the first rule that holds, or else the listener, hands the request on."""
    listener = template.one("aws_lb_listener", port=443)
    rules = sorted(template.resources("aws_lb_listener_rule").values(), key=lambda rule: rule["priority"])
    met = (rule["action"] for rule in rules if all(holds(each, host, address) for each in rule["condition"]))
    (action,) = next(met, listener["default_action"])
    return bool(action["type"] == "forward")


def test_without_networks_everybody_reaches_both_hosts(dev: Template) -> None:
    assert "aws_lb_listener_rule" not in dev.document["resource"]
    assert reached(dev, RANCHER, "203.0.113.9")


def test_rancher_is_reached_from_its_networks_alone_and_the_application_from_everywhere(
    synthesise: Callable[[list[str]], Template],
) -> None:
    template = synthesise(NETWORKS)
    inside = [network.replace(".0/24", ".77") for network in NETWORKS]
    assert [address for address in inside if not reached(template, RANCHER, address)] == []
    assert all(reached(template, APPLICATION, address) for address in (*inside, "203.0.113.9"))
    assert not reached(template, RANCHER, "203.0.113.9")


@pytest.mark.parametrize("host", [f"{RANCHER}:443", f"{RANCHER}.", RANCHER.upper(), "10.0.10.10", ""])
def test_no_other_spelling_of_the_host_leads_in(synthesise: Callable[[list[str]], Template], host: str) -> None:
    assert not reached(synthesise(NETWORKS), host, "203.0.113.9"), f"nginx takes {host!r} for a host of its own"


def test_a_rule_holds_what_aws_takes_and_the_closing_one_comes_last(
    synthesise: Callable[[list[str]], Template],
) -> None:
    template = synthesise(NETWORKS)
    rules = template.resources("aws_lb_listener_rule")
    counts = [
        [len(value["values"]) for each in rule["condition"] for value in each.values()] for rule in rules.values()
    ]
    assert max(map(max, counts)) <= NETWORKS_A_RULE
    assert max(map(sum, counts)) <= 5, "AWS takes five values a rule, the host's among them"
    closing = template.one("aws_lb_listener_rule", action=[_forbidden()])
    assert len(closing["depends_on"]) == len(rules) - 1, "the application would be refused until its rule is there"


def _forbidden() -> dict[str, Any]:
    answer = {"content_type": "text/plain", "message_body": "Forbidden", "status_code": "403"}
    return {"type": "fixed-response", "fixed_response": answer}


def test_the_ingress_asks_for_the_address_once_more(tmp_path: Path) -> None:
    settings = load(one_environment(tmp_path, {"access": {"rancher": {"allowed_cidrs": NETWORKS}}}))
    main.build_app(settings, outdir=str(tmp_path / "out")).synth()
    release = Template.read(tmp_path / "out/stacks/vet-dev-helm/cdk.tf.json").one("helm_release", name="rancher")
    values = json.loads(release["values"][0])
    annotations = values["ingress"]["extraAnnotations"]
    assert annotations == {"nginx.ingress.kubernetes.io/whitelist-source-range": ",".join(NETWORKS)}
