"""What an environment's nodes stand on: keys, network, stores, the Kubernetes API's load balancer, and what a node is told at boot."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.key_pair import KeyPair
from constructs import Construct

from modules.aws.flow_logs import FlowLogs
from modules.aws.image import machine_image
from modules.aws.image_repository import ImageRepository
from modules.aws.instance_role import InstanceRole
from modules.aws.keys import Keys
from modules.aws.load_balancer import ApiLoadBalancer
from modules.aws.network import Network
from modules.aws.node_logs import NodeLogs
from modules.aws.node_rights import NodeRights
from modules.aws.secrets import ClusterSecrets
from modules.aws.security_groups import KUBERNETES_API, RKE2_SUPERVISOR, SecurityGroups
from modules.aws.servers import NodeContext
from modules.aws.storage import Buckets
from modules.aws.web_identity import WebIdentityIssuer
from nodes.boot import bundle
from nodes.extras import Extras
from nodes.inputs import ClusterInputs
from nodes.release import node_release
from settings.access import Principals
from settings.addresses import server_slots
from settings.names import Names


class Foundation:
    """Everything that must be there before the first node boots, as constructs directly below the scope that it is given.

    It is no construct itself: an id of its own would be a part of every address in the state. What comes after it takes ``context`` and a role:
    ``Servers(self, "servers", context=foundation.context, role=foundation.server_role)``.
    """

    def __init__(self, scope: Construct, *, names: Names) -> None:
        self._scope, self._names, self._environment = scope, names, names.environment
        self._place()
        self._storage_and_secrets()
        self.api = ApiLoadBalancer(
            scope,
            "api",
            name=names.resource("api"),
            vpc_id=self.network.vpc.id,
            subnets=self.network.private,
            security_group=self.groups.api,
            ports=[KUBERNETES_API, RKE2_SUPERVISOR],
            internal=True,
            protect=self._environment.deletion_protection,
        )
        """The internal load balancer of the Kubernetes API; its targets are yours to add: ``api.register_targets(servers)``."""

        self._roles()
        self.context = self._context([*self.server_role.rights, *self.agent_role.rights])
        """What servers and agents share."""

    @property
    def metrics_namespace(self) -> str:
        """CloudWatch namespace that the nodes write to; empty where nothing watches them."""
        return self._names.metrics_namespace if self._environment.alarms.enabled else ""

    def outputs(self, address: str | None = None) -> dict[str, tuple[str, str]]:
        """What :class:`modules.platform.cluster.Cluster` reads of the stack that has this: values and descriptions, by name.

        :param address: host through which people and Helm reach the API, where it is not the internal load balancer.
        """
        return {
            "api_host": (self.api.host, "name in the Kubernetes API's certificate"),
            "api_address": (
                f"https://{address or self.api.host}:{KUBERNETES_API.number}",
                "address of the Kubernetes API",
            ),
            "cluster_ca_parameter": (self.secrets.ca.name, "parameter with the API's certificate authority"),
            "credentials_prefix": (self.secrets.credentials_prefix, "secrets with credentials: <prefix>/<role>"),
        }

    def _place(self) -> None:
        scope, names, environment = self._scope, self._names, self._environment
        self.keys = Keys(scope, "keys", names=names, environment=environment)
        self.network = Network(scope, "network", names=names, environment=environment)
        self.groups = SecurityGroups(
            scope, "security_groups", names=names, environment=environment, vpc_id=self.network.vpc.id
        )
        if self.groups.endpoints is not None:
            self.network.connect(self.groups.endpoints)
        if environment.network.flow_logs:
            days = environment.backups.logs_days
            key_arn = self.keys.backups.arn
            FlowLogs(scope, "flow_logs", names=names, vpc_id=self.network.vpc.id, days=days, key_arn=key_arn)
        self.node_logs = self._node_logs()

    def _node_logs(self) -> NodeLogs | None:
        """Where nodes send their logs, if they do."""
        if not self._environment.node_logs.enabled:
            return None
        return NodeLogs(
            self._scope,
            "node_logs",
            names=self._names,
            days=self._environment.backups.logs_days,
            key_arn=self.keys.backups.arn,
            protect=self._environment.deletion_protection,
        )

    def _storage_and_secrets(self) -> None:
        scope, names, environment = self._scope, self._names, self._environment
        self.buckets = Buckets(scope, "buckets", names=names, environment=environment, key=self.keys.backups)
        self.secrets = ClusterSecrets(
            scope,
            "secrets",
            names=names,
            key=self.keys.secrets,
            protect=environment.deletion_protection,
            principals=environment.access.principals if environment.access.identity.shared else Principals(),
        )
        self.issuer = WebIdentityIssuer(scope, "web_identity", names=names, environment=environment)
        self.repository = ImageRepository(
            scope,
            "image_repository",
            name=names.application_repository,
            key=self.keys.backups,
            protect=environment.deletion_protection,
        ).repository

    def _roles(self) -> None:
        scope, names = self._scope, self._names
        rights = NodeRights(
            secrets=self.secrets,
            secrets_key=self.keys.secrets,
            buckets=self.buckets,
            backups_key=self.keys.backups,
            issuer=self.issuer.bucket,
            issuer_documents=self.issuer.DOCUMENTS,
            repository_arn=self.repository.arn,
            agent_groups=names.agent_groups,
            metrics_namespace=self.metrics_namespace,
            logs=self.node_logs,
            registry_secrets=[
                # Secrets Manager puts six characters of its own after the name.
                names.arn("secretsmanager", f"secret:{names.registry_secret(name)}-??????")
                for name in self._environment.registries.credentials.values()
            ],
        )
        self.server_role = InstanceRole(
            scope, "server_role", names=names, purpose="server", description="RKE2 servers", statements=rights.server()
        )
        self.agent_role = InstanceRole(
            scope, "agent_role", names=names, purpose="agent", description="RKE2 agents", statements=rights.agent()
        )

    def _context(self, rights: Sequence[ITerraformDependable]) -> NodeContext:
        inputs = self._boot_inputs()
        programs = self.buckets.publish(bundle(inputs.extras.scripts))
        record = self.buckets.record_servers(inputs.server_addresses)
        return NodeContext(
            names=self._names,
            environment=self._environment,
            network=self.network,
            security_group=self.groups.nodes,
            volume_key=self.keys.volumes,
            image_id=machine_image(self._scope, "image", self._environment.image),
            key_name=self._key_pair(),
            inputs=inputs,
            depends_on=[
                *self.network.egress,
                *rights,
                programs,
                record,
                self.issuer.bucket.ready,
                self.buckets.snapshots.ready,
                self.secrets.ca,
                *(secret.secret for secret in self.secrets.all),
            ],
        )

    def _boot_inputs(self) -> ClusterInputs:
        names, environment = self._names, self._environment
        return ClusterInputs(
            cluster=names.base,
            region=environment.region,
            account_id=names.project.account_id,
            vpc_id=self.network.vpc.id,
            api_host=self.api.host,
            server_addresses=" ".join(str(slot.address) for slot in server_slots(environment)),
            nodes_bucket=self.buckets.nodes.name,
            snapshots_bucket=self.buckets.snapshots.name,
            issuer_bucket=self.issuer.bucket.name,
            issuer_url=self.issuer.url,
            server_token_secret=self.secrets.server_token.name,
            agent_token_secret=self.secrets.agent_token.name,
            credentials_secret_prefix=self.secrets.credentials_prefix,
            ca_parameter=names.parameter("cluster-ca"),
            metrics_namespace=self.metrics_namespace,
            log_groups=names.log_groups if self.node_logs else "",
            monitored="yes" if environment.services.monitoring.enabled else "",
            identity_issuer=environment.access.identity.issuer or "",
            hardening=environment.cluster.hardening or "",
            application_namespace=environment.application.namespace,
            release=node_release(environment.cluster.releases, environment.charts.mirror),
            cni=environment.cluster.cni,
            pod_cidr=str(environment.cluster.pod_cidr),
            service_cidr=str(environment.cluster.service_cidr),
            snapshot_schedule=environment.cluster.snapshots.schedule,
            snapshots_kept=environment.cluster.snapshots.retention,
            dedicated_servers=environment.servers.dedicated,
            vpc_cidr=str(environment.network.cidr),
            extras=Extras.of(names),
        )

    def _key_pair(self) -> str | None:
        name, public_key = self._names.key_pair, self._environment.access.ssh.public_key
        if name is None or public_key is None:
            return None
        # Made before its predecessor goes: the agents' launch template names it.
        lasting = {"create_before_destroy": True}
        return KeyPair(self._scope, "key_pair", key_name=name, public_key=public_key, lifecycle=lasting).key_name
