"""``vet-<env>``: network, nodes and load balancers of one environment."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.key_pair import KeyPair
from constructs import Construct

from modules.aws import pod_rights
from modules.aws.agents import Agents
from modules.aws.alarms import Alarms, Watched
from modules.aws.boundary import limit_roles
from modules.aws.budget import Budget
from modules.aws.certificate import Certificate
from modules.aws.dns import HostedZone
from modules.aws.flow_logs import FlowLogs
from modules.aws.image import machine_image
from modules.aws.image_repository import ImageRepository
from modules.aws.instance_role import InstanceRole
from modules.aws.jump_host import JumpHost
from modules.aws.keys import Keys
from modules.aws.load_balancer import ApiLoadBalancer, IngressLoadBalancer
from modules.aws.network import Network
from modules.aws.node_rights import NodeRights
from modules.aws.ready_gate import ReadyGate
from modules.aws.replicas import Replicas, ReplicaSettings
from modules.aws.schedule import Schedule
from modules.aws.secrets import ClusterSecrets
from modules.aws.security_groups import KUBERNETES_API, RKE2_SUPERVISOR, SecurityGroup, SecurityGroups
from modules.aws.servers import NodeContext, Servers
from modules.aws.storage import Buckets
from modules.aws.volume_snapshots import VolumeSnapshots
from modules.aws.web_identity import WebIdentityIssuer
from modules.fixed import Fixed
from nodes.boot import bundle
from nodes.inputs import ClusterInputs
from nodes.release import node_release
from settings import web_identity
from settings.addresses import server_slots
from settings.effects import INFRASTRUCTURE, remembered
from settings.environment import Environment
from settings.names import Names, infrastructure_stack
from settings.project import Project
from stacks.base import PlatformStack


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
        self._metrics_namespace = names.metrics_namespace if environment.alarms.enabled else ""
        self._foundation()
        self._stores()
        self._api()
        self._nodes()
        self._front_door()
        self._pod_roles()
        self._saving_and_guarding()
        limit_roles(self, project, names.boundary_arn)
        self._outputs()

    def _foundation(self) -> None:
        names, environment = self._names, self._environment
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
            },
            why="It would replace the network, the servers' disks, the whole cluster or the application's data.",
        )
        self._keys = Keys(self, "keys", names=names, environment=environment)
        self._network = Network(self, "network", names=names, environment=environment)
        self._groups = SecurityGroups(
            self, "security_groups", names=names, environment=environment, vpc_id=self._network.vpc.id
        )
        if environment.network.flow_logs:
            days = environment.backups.logs_days
            key_arn = self._keys.backups.arn
            FlowLogs(self, "flow_logs", names=names, vpc_id=self._network.vpc.id, days=days, key_arn=key_arn)

    def _stores(self) -> None:
        names, environment = self._names, self._environment
        self._buckets = Buckets(self, "buckets", names=names, environment=environment, key=self._keys.backups)
        self._secrets = ClusterSecrets(
            self,
            "secrets",
            names=names,
            key=self._keys.secrets,
            protect=environment.protect,
            principals=environment.access.principals,
        )
        self._issuer = WebIdentityIssuer(self, "web_identity", names=names, environment=environment)
        self._repository = ImageRepository(
            self,
            "image_repository",
            name=names.application_repository,
            key=self._keys.backups,
            protect=environment.protect,
        ).repository

    def _api(self) -> None:
        self._api_load_balancer = ApiLoadBalancer(
            self,
            "api",
            name=self._names.of("api"),
            vpc_id=self._network.vpc.id,
            subnets=self._network.private,
            security_group=self._groups.api,
            ports=[KUBERNETES_API, RKE2_SUPERVISOR],
            internal=True,
            protect=self._environment.protect,
        )

    def _nodes(self) -> None:
        rights = NodeRights(
            secrets=self._secrets,
            secrets_key=self._keys.secrets,
            buckets=self._buckets,
            backups_key=self._keys.backups,
            issuer=self._issuer.bucket,
            issuer_documents=self._issuer.DOCUMENTS,
            repository_arn=self._repository.arn,
            agent_groups=self._names.agent_groups,
            metrics_namespace=self._metrics_namespace,
        )
        names, environment = self._names, self._environment
        server_role = InstanceRole(
            self, "server_role", names=names, purpose="server", description="RKE2 servers", statements=rights.server()
        )
        agent_role = InstanceRole(
            self, "agent_role", names=names, purpose="agent", description="RKE2 agents", statements=rights.agent()
        )
        context = self._node_context([*server_role.rights, *agent_role.rights])
        self._servers = Servers(self, "servers", context=context, role=server_role)
        self._agents = Agents(self, "agents", context=context, role=agent_role)
        self._api_load_balancer.send_to(self._servers)
        ReadyGate(self, "ready", name=names.of("ready"), server=self._servers.first)
        if environment.access.ssh.jump_host.enabled:
            JumpHost(self, "jump_host", context=context, security_group=self._groups.operators)

    def _node_context(self, rights: list[ITerraformDependable]) -> NodeContext:
        programs, inputs = self._buckets.publish(bundle()), self._boot_inputs()
        record = self._buckets.record_servers(inputs.server_addresses)
        return NodeContext(
            names=self._names,
            environment=self._environment,
            network=self._network,
            security_group=self._groups.nodes,
            volume_key=self._keys.volumes,
            image_id=machine_image(self, "image", self._environment.image),
            key_name=self._key_pair(),
            inputs=inputs,
            wait_for=[
                *self._network.egress,
                *rights,
                programs,
                record,
                self._issuer.bucket.ready,
                self._buckets.snapshots.ready,
                self._secrets.ca,
                *(secret.secret for secret in self._secrets.all),
            ],
        )

    def _boot_inputs(self) -> ClusterInputs:
        names, environment = self._names, self._environment
        return ClusterInputs(
            cluster=names.base,
            region=environment.region,
            account_id=names.project.account_id,
            vpc_id=self._network.vpc.id,
            api_host=self._api_load_balancer.host,
            server_addresses=" ".join(str(slot.address) for slot in server_slots(environment)),
            nodes_bucket=self._buckets.nodes.name,
            snapshots_bucket=self._buckets.snapshots.name,
            issuer_bucket=self._issuer.bucket.name,
            issuer_url=self._issuer.url,
            server_token_secret=self._secrets.server_token.name,
            agent_token_secret=self._secrets.agent_token.name,
            credentials_secret_prefix=self._secrets.credentials_prefix,
            ca_parameter=names.parameter("cluster-ca"),
            metrics_namespace=self._metrics_namespace,
            application_namespace=environment.application.namespace,
            release=node_release(environment.cluster.releases, environment.charts.mirror),
            cni=environment.cluster.cni,
            pod_cidr=str(environment.cluster.pod_cidr),
            service_cidr=str(environment.cluster.service_cidr),
            snapshot_schedule=environment.cluster.snapshots.schedule,
            snapshots_kept=environment.cluster.snapshots.retention,
            dedicated_servers=environment.servers.dedicated,
        )

    def _key_pair(self) -> str | None:
        name, public_key = self._names.key_pair, self._environment.access.ssh.public_key
        if name is None or public_key is None:
            return None
        # Made before its predecessor goes: the agents' launch template names it.
        lasting = {"create_before_destroy": True}
        return KeyPair(self, "key_pair", key_name=name, public_key=public_key, lifecycle=lasting).key_name

    def _front_door(self) -> None:
        names, environment = self._names, self._environment
        hosts = environment.hosts.all
        self._api_address_host = self._api_load_balancer.host
        self._zone = HostedZone(self, "dns", name=environment.zone)
        self._certificate = Certificate(self, "certificate", hosts=hosts, zone_id=self._zone.id)
        logs = self._buckets.access_logs if environment.load_balancer.access_logs else None
        self._ingress = IngressLoadBalancer(
            self,
            "ingress",
            names=names,
            settings=environment.load_balancer,
            vpc_id=self._network.vpc.id,
            subnets=self._network.public,
            security_group=self._groups.ingress,
            hosts=environment.hosts,
            rancher_networks=environment.access.rancher.allowed_cidrs,
            certificate_arn=self._certificate.issued_arn,
            protect=environment.protect,
            logs_bucket=logs.bucket.id if logs else None,
            wait_for=[logs.ready] if logs else [],
        )
        self._ingress.send_to(self._servers)
        self._ingress_host = self._ingress.load_balancer.dns_name
        self._zone.point_to(hosts, self._ingress.load_balancer)
        if self._groups.public_api is not None:
            self._api_address_host = self._public_api(self._groups.public_api)

    def _public_api(self, group: SecurityGroup) -> str:
        """A second load balancer for 6443 alone: nodes go on joining inside the VPC, and 9345 is never public."""
        public = ApiLoadBalancer(
            self,
            "public_api",
            name=self._names.of("public-api"),
            vpc_id=self._network.vpc.id,
            subnets=self._network.public,
            security_group=group,
            ports=[KUBERNETES_API],
            internal=False,
            protect=False,  # it comes and goes with access.api, and holds nothing
        )
        public.send_to(self._servers)
        return public.host

    def _pod_roles(self) -> None:
        names = self._names
        issuer = self._issuer
        self._roles = {
            "storage": issuer.role("storage", [web_identity.STORAGE], pod_rights.storage(names)),
            "certificates": issuer.role(
                "certificates", [web_identity.CERTIFICATES], pod_rights.certificates(self._zone.id)
            ),
            "autoscaler": issuer.role("autoscaler", [web_identity.AUTOSCALER], pod_rights.autoscaler(names)),
            "database": issuer.role(
                "database",
                web_identity.databases(self._environment),
                pod_rights.database(self._buckets.database, self._keys.backups),
            ),
        }

    def _saving_and_guarding(self) -> None:
        """What is off unless the environment's file says otherwise."""
        names, environment = self._names, self._environment
        if environment.schedule.enabled:
            Schedule(self, "schedule", names=names, environment=environment, servers=self._servers, agents=self._agents)
        if environment.budget.enabled:
            Budget(self, "budget", names=names, settings=environment.budget)
        if environment.backups.volume_snapshots.enabled:
            VolumeSnapshots(self, "volume_snapshots", names=names, settings=environment.backups.volume_snapshots)

        if environment.backups.replica_region:
            self._replicate(environment.backups.replica_region)
        if environment.alarms.enabled:
            watched = Watched(
                ingress=self._ingress,
                api=self._api_load_balancer,
                certificate_arn=self._certificate.issued_arn,
                servers=self._servers,
                agents=self._agents,
            )
            Alarms(self, "alarms", names=names, environment=environment, watched=watched)

    def _replicate(self, region: str) -> None:
        names, environment, buckets = self._names, self._environment, self._buckets
        sources = {"snapshots": buckets.snapshots, "database": buckets.database}
        Replicas(
            self,
            "replicas",
            provider=self.provider_elsewhere(region),
            # Another name than its own bucket would have there, should the environment move to that region.
            sources={purpose: (bucket, names.bucket(f"{purpose}-2", region)) for purpose, bucket in sources.items()},
            key=self._keys.backups,
            settings=ReplicaSettings(
                name=names.role("replicas"),
                account_id=names.project.account_id,
                protect=environment.protect,
                noncurrent_days=environment.backups.noncurrent_days,
            ),
        )

    def _outputs(self) -> None:
        self.output("api_host", self._api_load_balancer.host, "name in the Kubernetes API's certificate")
        self.output(
            "api_address", f"https://{self._api_address_host}:{KUBERNETES_API.number}", "address of the Kubernetes API"
        )
        self.output("cluster_ca_parameter", self._secrets.ca.name, "parameter with the API's certificate authority")
        self.output("credentials_prefix", self._secrets.credentials_prefix, "secrets with credentials: <prefix>/<role>")
        self.output("image_repository_name", self._repository.name, "repository of the application's images")
        self.output("image_repository_url", self._repository.repository_url, "registry of the application's images")
        self.output(
            "name_servers",
            self._zone.zone.name_servers,
            f"name servers of {self._environment.zone}; the certificate is issued once the domain is delegated to them",
        )
        self.output("ingress_host", self._ingress_host, "DNS name of the load balancer that the public hosts lead to")
        self.output("zone_id", self._zone.id, "Route 53 zone of the environment's hosts")
        self.output("database_bucket", self._buckets.database.name, "bucket for database backups")
        self.output("volumes_key_arn", self._keys.volumes.arn, "KMS key of the nodes' and pods' volumes")
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
