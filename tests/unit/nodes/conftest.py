"""The nodes' inputs, and the synthesised application that tests of stacks have as well."""

import pytest

from nodes.inputs import ClusterInputs
from tests.cluster_inputs import COMMON
from tests.unit.stacks.conftest import output, settings, templates

__all__ = ["output", "settings", "templates"]


@pytest.fixture
def inputs() -> ClusterInputs:
    """Inputs of three servers, partly Terraform references as in a stack."""
    return ClusterInputs(
        cluster="vet-prod",
        environment="prod",
        region="eu-central-1",
        account_id="123456789012",
        vpc_id="${aws_vpc.main.id}",
        api_host="${aws_lb.api.dns_name}",
        server_addresses="10.0.10.10 10.0.11.10 10.0.12.10",
        nodes_bucket="nodes",
        snapshots_bucket="snapshots",
        issuer_bucket="issuer",
        issuer_url="https://issuer.s3.eu-central-1.amazonaws.com",
        server_token_secret="vet-prod/server-token",
        agent_token_secret="vet-prod/agent-token",
        credentials_secret_prefix="vet-prod/credentials",
        ca_parameter="/vet-prod/cluster-ca",
        dedicated_servers=True,
        **COMMON,
    )
