"""``vet-<env>``: network, nodes and load balancers of one environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.aws import pod_rights
from modules.aws.agents import Agents, SizedGroup
from modules.aws.alarms import Alarms, MonitoredResources
from modules.aws.boundary import limit_roles
from modules.aws.budget import Budget
from modules.aws.certificate import Certificate
from modules.aws.dashboard import Dashboard
from modules.aws.dns import HostedZone
from modules.aws.foundation import Foundation
from modules.aws.image import newest_image
from modules.aws.interruptions import Interruptions
from modules.aws.jump_host import JumpHost
from modules.aws.load_balancer import ApiLoadBalancer, IngressLoadBalancer
from modules.aws.pod_logs import PodLogs
from modules.aws.pools import AgentPool
from modules.aws.ready_gate import ReadyGate
from modules.aws.replicas import Replicas, ReplicaSettings
from modules.aws.schedule import Schedule
from modules.aws.security_groups import KUBERNETES_API, SecurityGroup
from modules.aws.servers import Servers
from modules.aws.volume_snapshots import VolumeSnapshots
from modules.fixed import Fixed
from settings import web_identity
from settings.effects import INFRASTRUCTURE
from settings.environment import Environment
from settings.instance_types import ARM64
from settings.names import Names, infrastructure_stack
from settings.network import NetworkSettings
from settings.project import Project
from settings.remembered import remembered
from stacks.base import PlatformStack
from stacks.overrides import override


def _place(network: NetworkSettings) -> dict[str, str]:
    """Where an environment stands that is not in a new VPC with public subnets, by the key of the setting that decides it."""
    values = {"network.private_only": "true"} if network.private_only else {}
    if existing := network.existing:
        subnets = [f"{letter} {each.public or '-'} {each.private}" for letter, each in sorted(existing.subnets.items())]
        values |= {
            "network.existing.id": existing.id,
            "network.existing.subnets": ", ".join(subnets),
            "network.existing.first_server_host": str(existing.first_server_host),
        }
    return values


@dataclass(frozen=True)
class _Nodes:
    """The machines of the cluster."""

    servers: Servers
    agents: Agents
    pools: Sequence[AgentPool]

    @property
    def groups(self) -> list[SizedGroup]:
        """Every auto-scaling group, those of the pools last."""
        return [*self.agents.groups, *(sized for pool in self.pools for sized in pool.groups)]


@dataclass(frozen=True)
class _Entrance:
    """How the public hosts and the Kubernetes API are reached."""

    zone: HostedZone
    certificate: Certificate
    ingress: IngressLoadBalancer
    api_host: str


class InfrastructureStack(PlatformStack):
    """Everything in AWS that an environment needs before Helm can do its part."""

    def __init__(self, scope: Construct, *, project: Project, environment: Environment) -> None:
        names = Names(project, environment)
        super().__init__(
            scope,
            infrastructure_stack(environment.name),
            project=project,
            region=environment.region,
            tags=names.tags,
        )
        self._names, self._environment = names, environment
        self._fix_settings()
        self._foundation = Foundation(self, names=names)
        nodes = self._nodes()
        entrance = self._entrance(nodes.servers)
        roles = self._pod_roles(entrance.zone) | self._attachments() | self._interruptions() | self._services()
        self._optional_features(nodes, entrance)
        limit_roles(self, project, names.boundary_arn)
        override(self, INFRASTRUCTURE, environment)
        self._outputs(nodes.servers, entrance, roles)

    def _fix_settings(self) -> None:
        """Refuse changes of settings that would replace what holds data."""
        names, environment = self._names, self._environment
        place = _place(environment.network)
        Fixed(
            self,
            "fixed",
            values={
                "name_prefix": names.project.name_prefix,
                "network.cidr": str(environment.network.cidr),
                "cluster.cni": environment.cluster.cni,
                "cluster.pod_cidr": str(environment.cluster.pod_cidr),
                "cluster.service_cidr": str(environment.cluster.service_cidr),
                "application.namespace": environment.application.namespace,
                **place,
            },
            formerly=dict.fromkeys(place, "none"),
            why="It would replace the network, the servers' disks, the whole cluster or the application's data.",
        )
        # By itself: what a state keeps already is never added to, so that an environment which runs would not know it.
        Fixed(
            self,
            "role_path",
            values={"access.role_path": names.project.access.role_path},
            why="A role cannot move: each would be another one, which the state's stack, people and pods do not know.",
            remedy="Put the former value back in environments/_project.yaml.",
        )

    def _nodes(self) -> _Nodes:
        names, environment, foundation = self._names, self._environment, self._foundation
        context = foundation.context
        servers = Servers(self, "servers", context=context, role=foundation.server_role)
        agents = Agents(self, "agents", context=context, role=foundation.agent_role)
        pools = self._agent_pools(servers)
        foundation.api.register_targets(servers)
        ReadyGate(self, "ready", name=names.resource("ready"), server=servers.first)
        if environment.access.ssh.jump_host.enabled:
            JumpHost(self, "jump_host", context=context, security_group=foundation.groups.operators)
        return _Nodes(servers, agents, pools)

    def _agent_pools(self, servers: Servers) -> list[AgentPool]:
        """Every pool of agents."""
        foundation, pools, image = self._foundation, self._environment.pools, self._environment.image
        names = [name for name, pool in pools.items() if pool.is_arm and not pool.ami_id]
        arm = newest_image(self, "image_arm64", image, ARM64) if names else ""
        scope = Construct(self, "pools")
        return [
            AgentPool(
                scope,
                name,
                context=foundation.context,
                role=foundation.agent_role,
                servers=servers,
                name=name,
                pool=pool,
                image_id=pool.ami_id or (arm if pool.is_arm else foundation.context.image_id),
            )
            for name, pool in pools.items()
        ]

    def _entrance(self, servers: Servers) -> _Entrance:
        names, environment = self._names, self._environment
        hosts = environment.hosts.all
        zone = HostedZone(self, "dns", name=environment.dns_zone)
        certificate = Certificate(self, "certificate", hosts=hosts, zone_id=zone.id)
        logs = self._foundation.buckets.access_logs if environment.load_balancer.access_logs else None
        ingress = IngressLoadBalancer(
            self,
            "ingress",
            names=names,
            settings=environment.load_balancer,
            vpc_id=self._foundation.network.vpc.id,
            subnets=self._foundation.network.balanced,
            security_group=self._foundation.groups.ingress,
            hosts=environment.hosts,
            rancher_networks=environment.access.rancher.allowed_cidrs,
            certificate_arn=certificate.issued_arn,
            protect=environment.deletion_protection,
            internal=environment.network.private_only,
            logs_bucket=logs.bucket.id if logs else None,
            depends_on=[logs.ready] if logs else [],
        )
        ingress.register_targets(servers)
        zone.add_alias_records(hosts, ingress.load_balancer)
        group = self._foundation.groups.public_api
        return _Entrance(
            zone, certificate, ingress, self._public_api(group, servers) if group else self._foundation.api.host
        )

    def _public_api(self, group: SecurityGroup, servers: Servers) -> str:
        """A second load balancer for 6443 alone: nodes go on joining inside the VPC, and 9345 is never public."""
        public = ApiLoadBalancer(
            self,
            "public_api",
            name=self._names.resource("public-api"),
            vpc_id=self._foundation.network.vpc.id,
            subnets=self._foundation.network.public,
            security_group=group,
            ports=[KUBERNETES_API],
            internal=False,
            protect=False,  # it comes and goes with access.api, and holds nothing
        )
        public.register_targets(servers)
        return public.host

    def _pod_roles(self, zone: HostedZone) -> dict[str, IamRole]:
        """Roles of what every cluster has, by their name in the output ``pod_role_arns``."""
        names, issuer = self._names, self._foundation.issuer
        return {
            "storage": issuer.role("storage", [web_identity.STORAGE], pod_rights.storage(names)),
            "certificates": issuer.role("certificates", [web_identity.CERTIFICATES], pod_rights.certificates(zone.id)),
            "autoscaler": issuer.role("autoscaler", [web_identity.AUTOSCALER], pod_rights.autoscaler(names)),
            "database": issuer.role(
                "database",
                web_identity.databases(self._environment),
                pod_rights.database(self._foundation.buckets.database, self._foundation.keys.backups),
            ),
        }

    def _attachments(self) -> dict[str, IamRole]:
        """What the application's pods need for files of patients in S3; its role."""
        bucket = self._foundation.buckets.attachments
        if bucket is None or not self._environment.application.attachments_in_s3:
            return {}
        rights = pod_rights.attachments(bucket, self._foundation.keys.backups)
        account = web_identity.application(self._environment)
        role = self._foundation.issuer.role("application", [account], rights)
        self.output("attachments_bucket", bucket.name, "bucket for files of patients")
        return {"application": role}

    def _interruptions(self) -> dict[str, IamRole]:
        """What the interruption handler needs, in an environment with Spot nodes in pools; its role."""
        if not self._environment.interruptible:
            return {}
        queue = Interruptions(self, "interruptions", names=self._names).queue
        accounts, rights = [web_identity.INTERRUPTIONS], pod_rights.interruptions(queue.arn)
        role = self._foundation.issuer.role("interruption_handler", accounts, rights)
        self.output("interruptions_queue_url", queue.url, "queue with what EC2 says of machines that it takes back")
        return {"interruptions": role}

    def _services(self) -> dict[str, IamRole]:
        """What the services that are on need in AWS; their roles."""
        names, issuer = self._names, self._foundation.issuer
        roles = {}
        if self._environment.services.logs.enabled:
            group = PodLogs(self, "pod_logs", names=names, key_arn=self._foundation.keys.backups.arn).group
            roles["logs"] = issuer.role("logs", [web_identity.LOGS], pod_rights.logs(group.arn))
            self.output("pods_log_group", group.name, "group in CloudWatch Logs with what pods write")
        if bucket := self._foundation.buckets.velero:
            rights = pod_rights.velero(bucket, self._foundation.keys.backups)
            roles["velero"] = issuer.role("velero", [web_identity.VELERO], rights)
            self.output("velero_bucket", bucket.name, "bucket for backups of objects")
        return roles

    def _optional_features(self, nodes: _Nodes, entrance: _Entrance) -> None:
        """What is off unless the environment's file says otherwise."""
        names, environment, servers, groups = self._names, self._environment, nodes.servers, nodes.groups
        if environment.schedule.enabled:
            Schedule(self, "schedule", names=names, environment=environment, servers=servers, agents=groups)
        if environment.budget.enabled:
            Budget(self, "budget", names=names, settings=environment.budget)
        if environment.backups.volume_snapshots.enabled:
            VolumeSnapshots(self, "volume_snapshots", names=names, settings=environment.backups.volume_snapshots)

        if environment.backups.replica_region:
            self._replicate(environment.backups.replica_region)
        monitored = MonitoredResources(
            ingress=entrance.ingress,
            api=self._foundation.api,
            certificate_arn=entrance.certificate.issued_arn,
            servers=servers,
            agents=groups,
        )
        alarms: Sequence[str] = []
        if environment.alarms.enabled:
            alarms = Alarms(self, "alarms", names=names, environment=environment, monitored=monitored).arns
        if environment.dashboard.enabled:
            Dashboard(self, "dashboard", names=names, environment=environment, monitored=monitored, alarms=alarms)

    def _replicate(self, region: str) -> None:
        """Copies in another region; the region's provider stays until they are deleted, because Terraform deletes them by it."""
        names, environment, buckets = self._names, self._environment, self._foundation.buckets
        provider = self.replica_provider(region)
        if environment.backups.delete_copies:
            return
        sources = {"snapshots": buckets.snapshots, "database": buckets.database}
        if environment.application.attachments_in_s3 and buckets.attachments:
            sources["files"] = buckets.attachments
        if buckets.velero:
            sources["velero"] = buckets.velero
        Replicas(
            self,
            "replicas",
            provider=provider,
            # Another name than its own bucket would have there, should the environment move to that region.
            sources={purpose: (bucket, names.bucket(f"{purpose}-2", region)) for purpose, bucket in sources.items()},
            key=self._foundation.keys.backups,
            settings=ReplicaSettings(
                name=names.role("replicas"),
                account_id=names.project.account_id,
                protect=environment.deletion_protection,
                noncurrent_days=environment.backups.noncurrent_days,
            ),
        )

    def _outputs(self, servers: Servers, entrance: _Entrance, roles: Mapping[str, IamRole]) -> None:
        for name, (value, description) in self._foundation.outputs(entrance.api_host).items():
            self.output(name, value, description)
        self.output("image_repository_name", self._foundation.repository.name, "repository of the application's images")
        self.output(
            "image_repository_url", self._foundation.repository.repository_url, "registry of the application's images"
        )
        self.output(
            "name_servers",
            entrance.zone.zone.name_servers,
            f"name servers of {self._environment.dns_zone}; the certificate is issued once the domain is delegated to them",
        )
        ingress_host = entrance.ingress.load_balancer.dns_name
        self.output("ingress_host", ingress_host, "DNS name of the load balancer that the public hosts lead to")
        self.output("zone_id", entrance.zone.id, "Route 53 zone of the environment's hosts")
        self.output("database_bucket", self._foundation.buckets.database.name, "bucket for database backups")
        self.output("volumes_key_arn", self._foundation.keys.volumes.arn, "KMS key of the nodes' and pods' volumes")
        self.output("pod_role_arns", {name: role.arn for name, role in roles.items()}, "AWS roles of service accounts")
        self.output(
            "server_instance_ids",
            {str(server.slot.number): server.instance.id for server in servers.servers},
            "EC2 instances of the servers by slot",
        )
        self.output(
            "kubernetes_version",
            self._environment.cluster.releases.rke2,
            "RKE2 of the last apply, which the next one may raise by one minor",
        )
        self.output(
            "settings",
            remembered(self._names.project, self._environment, INFRASTRUCTURE),
            "settings of the last apply, with which the next plan compares",
        )
