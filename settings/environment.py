"""One environment: everything in ``environments/<name>.yaml`` over ``environments/_common.yaml``."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from settings.access import Access
from settings.backups import Backups
from settings.base import Host, Region, Section
from settings.budget import BudgetSettings
from settings.cluster import Charts, ClusterSettings
from settings.cost import CostAssumptions
from settings.extras import ExtraRelease, ExtraUserData, Manifest, Name, Overrides, Proxy, Registries, Rke2Config
from settings.former_keys import with_present_keys
from settings.load_balancer import LoadBalancer
from settings.network import NetworkSettings
from settings.nodes import AgentsSettings, Image, ServersSettings
from settings.observability import AlarmsSettings, DashboardSettings, NodeLogsSettings
from settings.optional_parts import interruptible, left_off
from settings.patches import Patches
from settings.pools import Pool, PoolName
from settings.release_sets import ReleaseSet
from settings.schedule import ScheduleSettings
from settings.services import Services
from settings.workloads import Application, RancherSettings


class Hosts(Section):
    """Public names of the environment. ``{domain}`` stands for the project's domain."""

    application: Host
    """The veterinary application."""

    rancher: Host
    """Rancher."""

    grafana: Host | None = None
    """Grafana (``services.monitoring``); left out, it is reached through the Kubernetes API alone (``kubectl port-forward``)."""

    @property
    def named(self) -> list[tuple[str, str]]:
        """Those that there are, by key."""
        return [(key, host) for key, host in self if host is not None]

    @property
    def operators(self) -> tuple[str, ...]:
        """Those of the operators' pages, Rancher's first."""
        return (self.rancher, *([self.grafana] if self.grafana else []))

    @property
    def all(self) -> tuple[str, ...]:
        """Every host, the application's first."""
        return (self.application, *self.operators)


class Environment(Section):
    """Settings of one environment."""

    DOCUMENTS = frozenset({"values", "extra_manifests", "terraform_overrides"})

    name: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$", examples=["dev, by renaming the file"])]
    """Taken from the file's name: ``environments/dev.yaml`` is ``dev``. 1 to 12 lower-case letters, digits and
    dashes."""

    deletion_protection: bool
    """Refuse to destroy what holds data or is the way in: volumes, keys, buckets, secrets, the load balancer."""

    region: Region
    """AWS region; left out, it is the project's."""

    hosts: Hosts
    """Public names."""

    dns_zone: Host
    """Route 53 zone of the hosts; left out, it is the application's host without its first label (the domain's own zone
    if the host is the domain)."""

    network: NetworkSettings
    """VPC, subnets, gateways."""

    access: Access = Access()
    """Operators' access."""

    image: Image = Image()
    """Image of the nodes."""

    servers: ServersSettings
    """Control plane nodes."""

    agents: AgentsSettings
    """Worker nodes."""

    pools: Annotated[dict[PoolName, Pool], Field(max_length=10)] = {}
    """More worker nodes, of other kinds, by name. One that is taken out is drained, and so is one that is renamed: the new name is another pool."""

    load_balancer: LoadBalancer
    """Application load balancer."""

    cluster: ClusterSettings = ClusterSettings()
    """Kubernetes (RKE2), its network, and its snapshots."""

    charts: Charts = Charts()
    """Repository of the Helm charts."""

    rancher: RancherSettings
    """Rancher."""

    application: Application
    """The veterinary application."""

    backups: Backups = Backups()
    """Backups, and how long what can be brought back is kept."""

    cost: CostAssumptions = CostAssumptions()
    """What the cost estimate assumes. It changes no resource."""

    schedule: ScheduleSettings = ScheduleSettings()
    """Hours in which the nodes run."""

    patches: Patches | None = None
    """When nodes restart for updates of the operating system; left out, they do not."""

    alarms: AlarmsSettings = AlarmsSettings()
    """Alarms by e-mail."""

    dashboard: DashboardSettings = DashboardSettings()
    """A page of what AWS measures."""

    node_logs: NodeLogsSettings = NodeLogsSettings()
    """Logs of the nodes in CloudWatch."""

    budget: BudgetSettings = BudgetSettings()
    """Alerts on cost."""

    services: Services = Services()
    """Monitoring, logs, and backups of objects: what runs on the cluster besides the application."""

    values: dict[str, dict[str, Any]] = {}
    """Values over the platform's own, by the release that they are for: ``ingress-nginx: {controller: {...}}``. Maps are merged key by
    key, lists replaced."""

    extra_releases: dict[Name, ExtraRelease] = {}
    """Further Helm releases, by name."""

    extra_manifests: dict[Name, Annotated[list[Manifest], Field(min_length=1)]] = {}
    """Further Kubernetes objects, in groups by name."""

    rke2_config: Rke2Config = Rke2Config()
    """Further keys of RKE2's configuration."""

    registries: Registries = Registries()
    """Mirrors of image registries, and registries with a password."""

    proxy: Proxy | None = None
    """The proxy through which nodes reach the internet."""

    extra_user_data: ExtraUserData = ExtraUserData()
    """Scripts on the nodes."""

    terraform_overrides: dict[str, Overrides] = {}
    """Attributes of resources as Terraform's JSON has them, by stack and construct: ``infrastructure/servers/slot_0/Resource``. What
    follows is yours: no rule has looked at it."""

    tags: dict[str, str] = {}
    """More tags for everything in the environment, at most six: an object in S3 has ten tags, and four are the
    project's own."""

    acknowledged_warnings: dict[str, Annotated[str, Field(min_length=10)]] = {}
    """Warnings that the team has looked at, by their code, with the reason why they are fine here."""

    @model_validator(mode="before")
    @classmethod
    def former_keys_are_known(cls, data: Any) -> Any:
        """Take former names of settings that are given in Python; those of files are brought to the present ones as they are read."""
        return with_present_keys(data) if isinstance(data, dict) else data

    @property
    def interruptible(self) -> bool:
        """Whether it has Spot nodes that the platform's own rules of placement know of: those of an environment with pools."""
        return interruptible(self.agents, self.pools)

    @property
    def releases(self) -> ReleaseSet:
        """What is installed here: ``cluster.releases`` without what the settings leave off."""
        return self.installed(self.cluster.releases)

    def installed(self, releases: ReleaseSet) -> ReleaseSet:
        """Of these, what such an environment has."""
        off = left_off(agents=self.agents, pools=self.pools, patches=self.patches, services=self.services)
        return self.cluster.installed(releases).without(*off)
