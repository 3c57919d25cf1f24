"""What this project decides: typed, and checked when it is imported."""

from vet_platform.settings import checked
from vet_platform.settings.environment import Environment
from vet_platform.settings.project import Project

PROJECT = Project(
    name_prefix="acme",
    account_id="123456789012",
    region="eu-central-1",
    domain="acme.example",
    email="platform@acme.example",
    state_bucket="acme-terraform-state",
    cost_center="platform",
)
LAB = Environment(
    name="lab",
    region="eu-central-1",
    deletion_protection=False,
    hosts={"application": "app.lab.acme.example", "rancher": "rancher.lab.acme.example"},
    dns_zone="lab.acme.example",
    network={
        "cidr": "10.8.0.0/16",
        "availability_zones": {
            "a": {"public": "10.8.1.0/24", "private": "10.8.10.0/24"},
            "b": {"public": "10.8.2.0/24", "private": "10.8.11.0/24"},
        },
        "nat_gateways": ["a"],
    },
    servers={"count": 3, "instance_type": "t3.large", "dedicated": False},
    agents={"min_count": 2, "max_count": 4, "instance_type": "t3.xlarge"},
    load_balancer={"access_logs": False},
    cluster={"release_set": "current"},
    rancher={"replicas": 1},
    application={"namespace": "default-app", "database_instances": 1},
    values={"rancher": {"auditLog": {"level": 2}}},
)
SETTINGS = checked(PROJECT, LAB)
