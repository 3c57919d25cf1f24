"""One environment: everything in ``environments/<name>.yaml`` over ``environments/_common.yaml``."""

from typing import Annotated

from pydantic import Field

from settings.access import Access
from settings.backups import Backups
from settings.base import Host, Region, Section
from settings.cluster import Charts, Cluster
from settings.cost import CostAssumptions
from settings.guarding import Alarms
from settings.load_balancer import LoadBalancer
from settings.network import Network
from settings.nodes import Agents, Image, Servers
from settings.saving import Budget, Schedule
from settings.workloads import Application, Rancher


class Hosts(Section):
    """Public names of the environment. ``{domain}`` stands for the project's domain."""

    application: Host
    """The veterinary application."""

    rancher: Host
    """Rancher."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every host, the application's first."""
        return (self.application, self.rancher)


class Environment(Section):
    """Settings of one environment."""

    name: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$", examples=["dev, by renaming the file"])]
    """Taken from the file's name: ``environments/dev.yaml`` is ``dev``. 1 to 12 lower-case letters, digits and
    dashes."""

    protect: bool
    """Refuse to destroy what holds data or is the way in: volumes, keys, buckets, secrets, the load balancer."""

    region: Region
    """AWS region; left out, it is the project's."""

    hosts: Hosts
    """Public names."""

    zone: Host
    """Route 53 zone of the hosts; left out, it is the application's host without its first label (the domain's own zone
    if the host is the domain)."""

    network: Network
    """VPC, subnets, gateways."""

    access: Access = Access()
    """Operators' access."""

    image: Image = Image()
    """Image of the nodes."""

    servers: Servers
    """Control plane nodes."""

    agents: Agents
    """Worker nodes."""

    load_balancer: LoadBalancer
    """Application load balancer."""

    cluster: Cluster = Cluster()
    """RKE2."""

    charts: Charts = Charts()
    """Helm charts."""

    rancher: Rancher
    """Rancher."""

    application: Application
    """The veterinary application."""

    backups: Backups = Backups()
    """Retention."""

    cost: CostAssumptions = CostAssumptions()
    """What the cost estimate assumes. It changes no resource."""

    schedule: Schedule = Schedule()
    """Hours in which the nodes run."""

    alarms: Alarms = Alarms()
    """Alarms by e-mail."""

    budget: Budget = Budget()
    """Alerts on cost."""

    tags: dict[str, str] = {}
    """More tags for everything in the environment, at most six: an object in S3 has ten tags, and four are the
    project's own."""

    acknowledged: dict[str, Annotated[str, Field(min_length=10)]] = {}
    """Warnings that the team has looked at, by their code, with the reason why they are fine here."""
