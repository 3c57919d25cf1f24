"""Who reaches whom in the application's namespace: every pair of the cluster's pods on every port that matters."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from settings.addresses import server_slots
from tests.template import Template
from tests.unit.platform.manifests import manifest
from tests.unit.platform.network import Endpoint, allowed
from tests.unit.platform.vet_application.conftest import Synthesise, environment

SERVER = str(server_slots(environment("prod"))[0].address)


def pod(name: str, address: str, namespace: str, labels: dict[str, str]) -> Endpoint:
    return Endpoint(name, address, namespace, tuple(labels.items()))


def own(name: str, address: str, template: Template, type_: str) -> Endpoint:
    """A pod as the application's own templates label it."""
    described = template.one(type_)["spec"]["template"]
    ports = [port for each in described["spec"]["container"] for port in each.get("port", [])]
    endpoint = pod(name, address, "vet-app", described["metadata"]["labels"])
    return replace(endpoint, ports=tuple((port["name"], port["container_port"]) for port in ports))


def database(number: int) -> Endpoint:
    return pod(f"database-{number}", f"10.42.3.{number}", "vet-app", {"cnpg.io/cluster": "database"})


@pytest.fixture(scope="module")
def ends(prod: Template) -> dict[str, Endpoint]:
    """Pods of the cluster and addresses outside, by name; labels of others are those that their charts give."""
    endpoints = [
        own("web", "10.42.4.2", prod, "kubernetes_deployment_v1"),
        own("migration", "10.42.4.3", prod, "kubernetes_job_v1"),
        database(1),
        database(2),
        pod("stranger", "10.42.4.9", "vet-app", {"app": "stranger"}),
        pod("ingress", "10.42.0.5", "ingress-nginx", {"app.kubernetes.io/component": "controller"}),
        pod("prometheus", "10.42.5.5", "cattle-monitoring-system", {"app.kubernetes.io/name": "prometheus"}),
        pod("operator", "10.42.5.6", "cnpg-system", {"app.kubernetes.io/name": "cloudnative-pg"}),
        pod("dns", "10.42.1.2", "kube-system", {"k8s-app": "kube-dns"}),
        pod("rancher", "10.42.1.3", "cattle-system", {"app": "rancher"}),
        pod("impostor", "10.42.1.4", "default", {"app.kubernetes.io/component": "controller", "app": "vet-app"}),
        Endpoint("api", SERVER),
        Endpoint("agent", "10.0.12.77"),
        Endpoint("metadata", "169.254.169.254"),
        Endpoint("internet", "52.216.1.1"),
    ]
    return {end.name: end for end in endpoints}


def policies(template: Template) -> list[dict[str, Any]]:
    blocks = template.resources("kubernetes_network_policy_v1").values()
    return [manifest("kubernetes_network_policy_v1", block, "1.26") for block in blocks]


PORTS = ((22, "TCP"), (25, "TCP"), (465, "TCP"), (2465, "TCP"), (2525, "TCP"), (2587, "TCP"), (53, "UDP"), (53, "TCP"), (80, "TCP"), (443, "TCP"), (587, "TCP"), (5432, "TCP"),
         (6443, "TCP"), (8000, "TCP"), (9000, "TCP"), (9187, "TCP"))  # fmt: skip

EXPECTED = {
    # Requests and measurements
    ("ingress", "web", 8000),
    ("prometheus", "web", 9000),
    # The database and its clients
    *{(client, f"database-{n}", 5432) for client in ("web", "migration") for n in (1, 2)},
    ("prometheus", "database-1", 9187),
    ("prometheus", "database-2", 9187),
    # Replication, and the operator (CloudNativePG: networking)
    *{(f"database-{n}", f"database-{3 - n}", port) for n in (1, 2) for port in (5432, 8000)},
    *{("operator", f"database-{n}", port) for n in (1, 2) for port in (5432, 8000)},
    *{(f"database-{n}", "api", 6443) for n in (1, 2)},
    # Backups
    *{(f"database-{n}", "internet", 443) for n in (1, 2)},
    # Names
    *{(name, "dns", 53) for name in ("web", "migration", "database-1", "database-2")},
}
"""Everything that may be opened from or to a pod of the namespace; nothing else may."""


def opened(template: Template, ends: dict[str, Endpoint]) -> set[tuple[str, str, int]]:
    listed = policies(template)
    inside = {name for name, end in ends.items() if end.namespace == "vet-app"}
    return {
        (sender, receiver, port)
        for (sender, receiver), (port, protocol) in product(product(ends, ends), PORTS)
        if sender != receiver
        and {sender, receiver} & inside
        and allowed(listed, ends[sender], ends[receiver], port, protocol)
    }


def test_exactly_these_connections_are_allowed(prod: Template, ends: dict[str, Endpoint]) -> None:
    connections = opened(prod, ends)
    assert connections == EXPECTED, f"more: {sorted(connections - EXPECTED)}, missing: {sorted(EXPECTED - connections)}"


def test_mail_goes_out_only_where_it_is_on(with_email: Template, ends: dict[str, Endpoint]) -> None:
    more = opened(with_email, ends) - EXPECTED
    assert more == {(name, "internet", port) for name in ("web", "migration") for port in (465, 587, 2465, 2525, 2587)}


def test_a_relay_inside_of_the_vpc_is_reached_where_it_is_named(
    synthesise: Synthesise, ends: dict[str, Endpoint]
) -> None:
    inside = synthesise("prod", email_reminders=True, email_relay="10.0.12.77/32")
    more = {each for each in opened(inside, ends) - EXPECTED if each[1] != "internet"}
    assert more == {(name, "agent", port) for name in ("web", "migration") for port in (25, 465, 587, 2465, 2525, 2587)}
    off = synthesise("prod", email_relay="10.0.12.77/32")
    assert opened(off, ends) == EXPECTED, "nothing is open for mail that is off"


def test_files_of_patients_go_out_to_s3_where_they_are_kept_there(
    synthesise: Synthesise, ends: dict[str, Endpoint]
) -> None:
    more = opened(synthesise("prod", attachments_in_s3=True), ends) - EXPECTED
    assert more == {(name, "internet", 443) for name in ("web", "migration")}


def test_an_endpoint_of_sts_is_reached_in_the_private_subnets(
    synthesise: Synthesise, ends: dict[str, Endpoint]
) -> None:
    """Its private name leads into the VPC, where nothing else is open: without it backups end and files cannot be read."""
    inside = synthesise("prod", attachments_in_s3=True, network={"endpoints": ["sts"]})
    more = opened(inside, ends) - EXPECTED
    clients = ("web", "migration", "database-1", "database-2")
    assert {each for each in more if each[1] == "agent"} == {(name, "agent", 443) for name in clients}
    assert opened(synthesise("prod", network={"endpoints": ["ssm"]}), ends) == EXPECTED


def test_names_are_looked_up_by_both_protocols(prod: Template, ends: dict[str, Endpoint]) -> None:
    for protocol in ("UDP", "TCP"):
        assert allowed(policies(prod), ends["web"], ends["dns"], 53, protocol), protocol


def test_what_no_policy_selects_is_denied_by_the_one_for_all(prod: Template, ends: dict[str, Endpoint]) -> None:
    without = [policy for policy in policies(prod) if policy["metadata"]["name"] != "default-deny"]
    assert allowed(without, ends["stranger"], ends["internet"], 443), "the model would not see a missing default-deny"
    assert not allowed(policies(prod), ends["stranger"], ends["internet"], 443)
