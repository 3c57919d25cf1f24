"""``vet-<env>``: network, nodes and load balancers of one environment."""

from collections.abc import Sequence

from constructs import Construct

from modules.aws import pod_rights
from modules.aws.agents import Agents, SizedGroup
from modules.aws.alarms import Alarms, Watched
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
from settings.effects import INFRASTRUCTURE, remembered
from settings.environment import Environment
from settings.instance_types import ARM64
from settings.names import Names, infrastructure_stack
from settings.network import Network
from settings.project import Project
from stacks.base import PlatformStack
from stacks.overrides import override


def _place(network: Network) -> dict[str, str]:
    """Where an environment stands that is not in a new VPC with public subnets, by the key of the setting that decides it."""
    found = {"network.private_only": "true"} if network.private_only else {}
    if existing := network.existing:
        subnets = [f"{letter} {each.public or '-'} {each.private}" for letter, each in sorted(existing.subnets.items())]
        found |= {
            "network.existing.id": existing.id,
            "network.existing.subnets": ", ".join(subnets),
            "network.existing.first_server_host": str(existing.first_server_host),
        }
    return found


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
        self._begin()
        self._nodes()
        self._front_door()
        self._pod_roles()
        self._attachments()
        self._interruptions()
        self._services()
        self._saving_and_guarding()
        limit_roles(self, project, names.boundary_arn)
        override(self, INFRASTRUCTURE, environment)
        self._outputs()

    def _begin(self) -> None:
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
        self._foundation = Foundation(self, names=names)

    def _nodes(self) -> None:
        names, environment, foundation = self._names, self._environment, self._foundation
        context = foundation.context
        self._servers = Servers(self, "servers", context=context, role=foundation.server_role)
        self._agents = Agents(self, "agents", context=context, role=foundation.agent_role)
        self._pools = self._agent_pools()
        foundation.api.send_to(self._servers)
        ReadyGate(self, "ready", name=names.of("ready"), server=self._servers.first)
        if environment.access.ssh.jump_host.enabled:
            JumpHost(self, "jump_host", context=context, security_group=foundation.groups.operators)

    def _agent_pools(self) -> list[AgentPool]:
        """Every pool of agents."""
        foundation, pools, image = self._foundation, self._environment.pools, self._environment.image
        names = [name for name, pool in pools.items() if pool.is_arm and not pool.image]
        arm = newest_image(self, "image_arm64", image, ARM64) if names else ""
        scope = Construct(self, "pools")
        return [
            AgentPool(
                scope,
                name,
                context=foundation.context,
                role=foundation.agent_role,
                servers=self._servers,
                name=name,
                pool=pool,
                image_id=pool.image or (arm if pool.is_arm else foundation.context.image_id),
            )
            for name, pool in pools.items()
        ]

    @property
    def _groups_of_agents(self) -> list[SizedGroup]:
        """Every auto-scaling group, those of the pools last."""
        return [*self._agents.groups, *(sized for pool in self._pools for sized in pool.groups)]

    def _front_door(self) -> None:
        names, environment = self._names, self._environment
        hosts = environment.hosts.all
        self._api_address_host = self._foundation.api.host
        self._zone = HostedZone(self, "dns", name=environment.zone)
        self._certificate = Certificate(self, "certificate", hosts=hosts, zone_id=self._zone.id)
        logs = self._foundation.buckets.access_logs if environment.load_balancer.access_logs else None
        self._ingress = IngressLoadBalancer(
            self,
            "ingress",
            names=names,
            settings=environment.load_balancer,
            vpc_id=self._foundation.network.vpc.id,
            subnets=self._foundation.network.balanced,
            security_group=self._foundation.groups.ingress,
            hosts=environment.hosts,
            rancher_networks=environment.access.rancher.allowed_cidrs,
            certificate_arn=self._certificate.issued_arn,
            protect=environment.protect,
            internal=environment.network.private_only,
            logs_bucket=logs.bucket.id if logs else None,
            wait_for=[logs.ready] if logs else [],
        )
        self._ingress.send_to(self._servers)
        self._ingress_host = self._ingress.load_balancer.dns_name
        self._zone.point_to(hosts, self._ingress.load_balancer)
        if self._foundation.groups.public_api is not None:
            self._api_address_host = self._public_api(self._foundation.groups.public_api)

    def _public_api(self, group: SecurityGroup) -> str:
        """A second load balancer for 6443 alone: nodes go on joining inside the VPC, and 9345 is never public."""
        public = ApiLoadBalancer(
            self,
            "public_api",
            name=self._names.of("public-api"),
            vpc_id=self._foundation.network.vpc.id,
            subnets=self._foundation.network.public,
            security_group=group,
            ports=[KUBERNETES_API],
            internal=False,
            protect=False,  # it comes and goes with access.api, and holds nothing
        )
        public.send_to(self._servers)
        return public.host

    def _pod_roles(self) -> None:
        names = self._names
        issuer = self._foundation.issuer
        self._roles = {
            "storage": issuer.role("storage", [web_identity.STORAGE], pod_rights.storage(names)),
            "certificates": issuer.role(
                "certificates", [web_identity.CERTIFICATES], pod_rights.certificates(self._zone.id)
            ),
            "autoscaler": issuer.role("autoscaler", [web_identity.AUTOSCALER], pod_rights.autoscaler(names)),
            "database": issuer.role(
                "database",
                web_identity.databases(self._environment),
                pod_rights.database(self._foundation.buckets.database, self._foundation.keys.backups),
            ),
        }

    def _attachments(self) -> None:
        """What the application's pods need for files of patients in S3."""
        bucket = self._foundation.buckets.attachments
        if bucket is None or not self._environment.application.attachments_in_s3:
            return
        rights = pod_rights.attachments(bucket, self._foundation.keys.backups)
        account = web_identity.application(self._environment)
        self._roles["application"] = self._foundation.issuer.role("application", [account], rights)
        self.output("attachments_bucket", bucket.name, "bucket for files of patients")

    def _interruptions(self) -> None:
        """What the interruption handler needs, in an environment with Spot nodes in pools."""
        if not self._environment.interruptible:
            return
        queue = Interruptions(self, "interruptions", names=self._names).queue
        accounts, rights = [web_identity.INTERRUPTIONS], pod_rights.interruptions(queue.arn)
        role = self._foundation.issuer.role("interruption_handler", accounts, rights)
        self._roles["interruptions"] = role
        self.output("interruptions_queue_url", queue.url, "queue with what EC2 says of machines that it takes back")

    def _services(self) -> None:
        """What the services that are on need in AWS."""
        names, issuer = self._names, self._foundation.issuer
        if self._environment.services.logs.enabled:
            group = PodLogs(self, "pod_logs", names=names, key_arn=self._foundation.keys.backups.arn).group
            self._roles["logs"] = issuer.role("logs", [web_identity.LOGS], pod_rights.logs(group.arn))
            self.output("pods_log_group", group.name, "group in CloudWatch Logs with what pods write")
        if bucket := self._foundation.buckets.velero:
            rights = pod_rights.velero(bucket, self._foundation.keys.backups)
            self._roles["velero"] = issuer.role("velero", [web_identity.VELERO], rights)
            self.output("velero_bucket", bucket.name, "bucket for backups of objects")

    def _saving_and_guarding(self) -> None:
        """What is off unless the environment's file says otherwise."""
        names, environment, groups = self._names, self._environment, self._groups_of_agents
        if environment.schedule.enabled:
            Schedule(self, "schedule", names=names, environment=environment, servers=self._servers, agents=groups)
        if environment.budget.enabled:
            Budget(self, "budget", names=names, settings=environment.budget)
        if environment.backups.volume_snapshots.enabled:
            VolumeSnapshots(self, "volume_snapshots", names=names, settings=environment.backups.volume_snapshots)

        if environment.backups.replica_region:
            self._replicate(environment.backups.replica_region)
        watched = Watched(
            ingress=self._ingress,
            api=self._foundation.api,
            certificate_arn=self._certificate.issued_arn,
            servers=self._servers,
            agents=groups,
        )
        alarms: Sequence[str] = []
        if environment.alarms.enabled:
            alarms = Alarms(self, "alarms", names=names, environment=environment, watched=watched).arns
        if environment.dashboard.enabled:
            Dashboard(self, "dashboard", names=names, environment=environment, watched=watched, alarms=alarms)

    def _replicate(self, region: str) -> None:
        names, environment, buckets = self._names, self._environment, self._foundation.buckets
        sources = {"snapshots": buckets.snapshots, "database": buckets.database}
        if environment.application.attachments_in_s3 and buckets.attachments:
            sources["files"] = buckets.attachments
        if buckets.velero:
            sources["velero"] = buckets.velero
        Replicas(
            self,
            "replicas",
            provider=self.provider_elsewhere(region),
            # Another name than its own bucket would have there, should the environment move to that region.
            sources={purpose: (bucket, names.bucket(f"{purpose}-2", region)) for purpose, bucket in sources.items()},
            key=self._foundation.keys.backups,
            settings=ReplicaSettings(
                name=names.role("replicas"),
                account_id=names.project.account_id,
                protect=environment.protect,
                noncurrent_days=environment.backups.noncurrent_days,
            ),
        )

    def _outputs(self) -> None:
        for name, (value, description) in self._foundation.outputs(self._api_address_host).items():
            self.output(name, value, description)
        self.output("image_repository_name", self._foundation.repository.name, "repository of the application's images")
        self.output(
            "image_repository_url", self._foundation.repository.repository_url, "registry of the application's images"
        )
        self.output(
            "name_servers",
            self._zone.zone.name_servers,
            f"name servers of {self._environment.zone}; the certificate is issued once the domain is delegated to them",
        )
        self.output("ingress_host", self._ingress_host, "DNS name of the load balancer that the public hosts lead to")
        self.output("zone_id", self._zone.id, "Route 53 zone of the environment's hosts")
        self.output("database_bucket", self._foundation.buckets.database.name, "bucket for database backups")
        self.output("volumes_key_arn", self._foundation.keys.volumes.arn, "KMS key of the nodes' and pods' volumes")
        self.output(
            "pod_role_arns", {name: role.arn for name, role in self._roles.items()}, "AWS roles of service accounts"
        )
        self.output(
            "server_instance_ids",
            {str(server.slot.number): server.instance.id for server in self._servers.servers},
            "EC2 instances of the servers by slot",
        )
        self.output(
            "settings",
            remembered(self._environment, INFRASTRUCTURE),
            "settings of the last apply, with which the next plan compares",
        )
