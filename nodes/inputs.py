"""What a cluster's nodes are told at boot: the seam between Terraform and the programs."""

from dataclasses import dataclass, field

from nodes.extras import Extras
from nodes.release import NodeRelease

PENDING = "pending"
"""Value of the parameter with the cluster's CA certificate until a server has published it (``bin/lib.sh``, ``cluster_ca``)."""


@dataclass(frozen=True, kw_only=True)
class NodeEnvironment:
    """What the programs of ``bin/`` read of it in ``/etc/vet/node.env``, each under its name in capital letters."""

    cluster: str
    """Cluster name, such as ``vet-dev``; also the value that names the cluster in AWS tags."""

    environment: str
    """Name of the environment, such as ``dev``: what commands in messages are about (``make restore ENV=dev``)."""

    region: str
    """AWS region."""

    vpc_id: str
    """The VPC; part of the initialisation marker's key, so that an environment created again starts clean."""

    api_host: str
    """DNS name of the network load balancer for 6443 (people, Helm) and 9345 (agents)."""

    server_addresses: str
    """Fixed private addresses of all servers, slot 0 first, separated by blanks."""

    nodes_bucket: str
    """Bucket with the bundle (``nodes/``) and the initialisation marker (``marker/``)."""

    snapshots_bucket: str
    """Bucket for etcd snapshots."""

    issuer_bucket: str
    """Public bucket for the service-account issuer's two documents."""

    issuer_url: str
    """The issuer: ``https://`` and the bucket's host name."""

    server_token_secret: str
    """Name of the secret with the servers' join token; empty until server 0 fills it."""

    agent_token_secret: str
    """Name of the secret with the agents' join token; empty until server 0 fills it."""

    credentials_secret_prefix: str
    """The secrets ``<prefix>/admin``, ``/deploy`` and ``/read`` hold ExecCredential documents, kept fresh by the
    servers."""

    ca_parameter: str
    """Parameter for the cluster's CA certificate; Terraform creates it as :data:`PENDING`."""

    metrics_namespace: str = ""
    """CloudWatch namespace of what the nodes measure; empty: they measure nothing."""

    log_groups: str = ""
    """What the names of the CloudWatch log groups begin with that the nodes send to; empty: they send nothing."""

    monitored: str = ""
    """``yes``: Prometheus asks the control plane and etcd (``services.monitoring``); empty: nobody does."""

    hardening: str = ""
    """``cis``: RKE2's profile for the CIS benchmark, and a machine that is fit for it; empty: neither."""


@dataclass(frozen=True, kw_only=True)
class ClusterInputs(NodeEnvironment):
    """What every node of a cluster knows at boot: the programs' environment, and what RKE2's configuration and user data are
    made of. Values may be Terraform references: they are placed, never parsed."""

    account_id: str
    """AWS account, 12 digits."""

    identity_issuer: str = ""
    """Issuer of the tokens by which people are who they are in AWS; empty: the API server knows its own accounts alone."""

    application_namespace: str
    """Namespace of the application."""

    release: NodeRelease
    """Versions of what the nodes install."""

    cni: str
    """Pod network."""

    pod_cidr: str
    """Addresses of pods."""

    service_cidr: str
    """Addresses of services."""

    snapshot_schedule: str
    """When each server takes an etcd snapshot, as a cron expression in UTC."""

    snapshots_kept: int
    """How many snapshots to keep for each server."""

    dedicated_servers: bool = False
    """Taint the servers so that only what tolerates it runs there."""

    vpc_cidr: str
    """Addresses of the VPC."""

    extras: Extras = field(default_factory=Extras)
    """What the team adds."""
