"""The architecture's own numbers are in the repository's environments."""

from ipaddress import IPv4Network

import pytest

from settings import load
from settings.environment import Environment
from settings.instance_types import INSTANCE_TYPES

DEV, PROD = load().environments
BOTH = pytest.mark.parametrize("environment", [DEV, PROD], ids=lambda environment: environment.name)


@BOTH
def test_the_network_has_the_architectures_ranges(environment: Environment) -> None:
    subnets = {
        letter: (str(zone.public), str(zone.private)) for letter, zone in environment.network.availability_zones.items()
    }
    assert environment.region == "us-east-1"
    assert environment.network.cidr == IPv4Network("10.0.0.0/16")
    assert subnets["a"] == ("10.0.1.0/24", "10.0.10.0/24")
    assert subnets["b"] == ("10.0.2.0/24", "10.0.11.0/24")


def test_zones_and_nat_gateways_are_as_many_as_the_architecture_says() -> None:
    assert (len(DEV.network.availability_zones), len(DEV.network.nat_gateways)) == (2, 1)
    assert (len(PROD.network.availability_zones), set(PROD.network.nat_gateways)) == (
        3,
        set(PROD.network.availability_zones),
    )


def test_machines_have_the_architectures_number_and_types() -> None:
    assert (DEV.servers.count, DEV.servers.instance_type) == (1, "t3.medium")
    assert (DEV.agents.min_count, DEV.agents.instance_type) == (2, "t3.medium")
    assert (PROD.servers.count, PROD.servers.instance_type) == (3, "t3.large")
    assert (PROD.agents.min_count, PROD.agents.instance_type) == (3, "t3.large")
    assert PROD.agents.max_count > PROD.agents.min_count, "3+ agents"


@BOTH
def test_volumes_and_image_are_the_architectures(environment: Environment) -> None:
    assert (environment.servers.root_volume_gib, environment.agents.root_volume_gib) == (50, 50)
    assert "22.04" in environment.image.name


@BOTH
def test_the_load_balancer_is_as_the_architecture_says(environment: Environment) -> None:
    assert environment.load_balancer.target_port == 443
    assert environment.load_balancer.health_check.path == "/ping"


@BOTH
def test_versions_are_those_that_the_architecture_names(environment: Environment) -> None:
    assert environment.cluster.cni == "calico"
    assert environment.cluster.releases["rancher"].version == "2.7.9"


def test_rancher_has_the_architectures_replicas() -> None:
    assert (DEV.rancher.replicas, PROD.rancher.replicas) == (1, 3)


@BOTH
def test_the_application_has_the_architectures_replicas_and_database(environment: Environment) -> None:
    application = environment.application
    assert (application.namespace, application.replicas, application.volume) == ("vet-app", 2, "5Gi")
    assert (application.service_port, application.container_port) == (80, 8000)
    assert (application.requests.cpu, application.requests.memory) == ("100m", "128Mi")
    assert (application.limits.cpu, application.limits.memory) == ("200m", "256Mi")


def test_hosts_and_protection_are_as_the_architecture_says() -> None:
    assert (PROD.hosts.application, PROD.hosts.rancher) == ("vet-app.example.com", "rancher.example.com")
    assert DEV.hosts.application == "vet-app.dev.example.com"
    assert (DEV.deletion_protection, PROD.deletion_protection) == (False, True)


@pytest.mark.parametrize(
    ("name", "vcpus", "memory_gib"),
    [("t3.micro", 2, 1), ("t3.medium", 2, 4), ("t3.xlarge", 4, 16), ("m5.large", 2, 8), ("c5.18xlarge", 72, 144),
     ("r6i.32xlarge", 128, 1024), ("m7i.48xlarge", 192, 768)],
)  # fmt: skip
def test_instance_types_are_as_amazon_lists_them(name: str, vcpus: int, memory_gib: float) -> None:
    machine = INSTANCE_TYPES[name]
    assert (machine.vcpus, machine.memory_gib) == (vcpus, memory_gib)
