"""Who may talk to whom. Groups refer to each other; addresses appear only where the internet or an office begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.security_group import SecurityGroup as AwsSecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from settings.environment import Environment
from settings.names import Names
from settings.network import BEHIND_NAT

INTERNET = "0.0.0.0/0"
"""Everybody. Allowed into the application load balancer and nowhere else."""


@dataclass(frozen=True)
class Port:
    """A TCP port and what listens on it."""

    number: int
    label: str


SSH = Port(22, "ssh")
HTTP = Port(80, "http")
HTTPS = Port(443, "https")
KUBERNETES_API = Port(6443, "kubernetes-api")
RKE2_SUPERVISOR = Port(9345, "rke2-supervisor")


class SecurityGroup(Construct):
    """A security group whose rules are resources of their own, so that groups can refer to each other."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        description: str,
        vpc_id: str,
        tags: dict[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.name = name
        self.group = AwsSecurityGroup(
            self,
            "Resource",
            name=name,
            description=description,
            vpc_id=vpc_id,
            revoke_rules_on_delete=True,
            tags={"Name": name, **(tags or {})},
        )

    @property
    def id(self) -> str:
        """The group's id."""
        return self.group.id

    def allow_from(self, source: "SecurityGroup", *ports: Port) -> None:
        """Let members of another group open connections to these ports."""
        for port in ports:
            self._ingress(
                f"{port.label}_from_{source.node.id}", f"{port.label} from {source.name}", port, source=source
            )

    def allow_from_networks(self, networks: Iterable[str], port: Port) -> None:
        """Let addresses open connections to a port."""
        for network in networks:
            id_ = f"{port.label}_from_{network.replace('/', '-').replace('.', '-')}"
            self._ingress(id_, f"{port.label} from {network}", port, network=network)

    def allow_members(self) -> None:
        """Let the group's members talk to each other in every protocol."""
        VpcSecurityGroupIngressRule(
            self,
            "all_from_members",
            security_group_id=self.id,
            description="everything between members",
            ip_protocol="-1",
            referenced_security_group_id=self.id,
        )

    def allow_out(self, target: "SecurityGroup | None" = None) -> None:
        """Let members open connections: to another group's members, or to anywhere."""
        VpcSecurityGroupEgressRule(
            self,
            "all_to_anywhere" if target is None else f"all_to_{target.node.id}",
            security_group_id=self.id,
            description="everything to anywhere" if target is None else f"everything to {target.name}",
            ip_protocol="-1",
            cidr_ipv4=INTERNET if target is None else None,
            referenced_security_group_id=None if target is None else target.id,
        )

    def _ingress(
        self,
        id_: str,
        description: str,
        port: Port,
        *,
        source: "SecurityGroup | None" = None,
        network: str | None = None,
    ) -> None:
        VpcSecurityGroupIngressRule(
            self,
            id_,
            security_group_id=self.id,
            description=description,
            ip_protocol="tcp",
            from_port=port.number,
            to_port=port.number,
            cidr_ipv4=network,
            referenced_security_group_id=None if source is None else source.id,
        )


class SecurityGroups(Construct):
    """All groups of an environment and every rule between them.

    ``nodes`` alone carries the cluster's tag: with two tagged groups the AWS cloud controller gives up (cloud-provider-aws, prerequisites).
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, environment: Environment, vpc_id: str) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._vpc_id = vpc_id
        self.nodes = self._group("nodes", "RKE2 nodes", {names.cluster_tag: "owned"})
        self.ingress = self._group("ingress", "Application load balancer")
        self.api = self._group("api", "Internal load balancer of the Kubernetes API")
        self.operators = self._group("operators", "Way in for operators: jump host")
        self._clients_to_ingress_to_nodes([*map(str, BEHIND_NAT)] if environment.network.private_only else [INTERNET])
        self._api_to_nodes()
        self._operators(environment)
        self.nodes.allow_members()
        self.nodes.allow_out()
        self.public_api = self._public_api(environment) if environment.access.api.access == "public" else None
        self.endpoints = self._endpoints() if environment.network.endpoints else None

    def _group(self, id_: str, description: str, tags: dict[str, str] | None = None) -> SecurityGroup:
        return SecurityGroup(
            self,
            id_,
            name=self._names.resource(id_.replace("_", "-")),
            description=description,
            vpc_id=self._vpc_id,
            tags=tags,
        )

    def _clients_to_ingress_to_nodes(self, clients: Sequence[str]) -> None:
        self.ingress.allow_from_networks(clients, HTTP)
        self.ingress.allow_from_networks(clients, HTTPS)
        self.ingress.allow_out(self.nodes)
        self.nodes.allow_from(self.ingress, HTTP, HTTPS)

    def _api_to_nodes(self) -> None:
        self.api.allow_from(self.nodes, KUBERNETES_API, RKE2_SUPERVISOR)
        self.api.allow_out(self.nodes)
        self.nodes.allow_from(self.api, KUBERNETES_API, RKE2_SUPERVISOR)

    def _operators(self, environment: Environment) -> None:
        self.operators.allow_from_networks(map(str, environment.access.ssh.allowed_cidrs), SSH)
        self.operators.allow_out()
        self.nodes.allow_from(self.operators, SSH)
        self.api.allow_from(self.operators, KUBERNETES_API)

    def _endpoints(self) -> SecurityGroup:
        group = self._group("endpoints", "Endpoints of AWS services inside the VPC")
        group.allow_from(self.nodes, HTTPS)
        return group

    def _public_api(self, environment: Environment) -> SecurityGroup:
        group = self._group("public_api", "Public load balancer of the Kubernetes API")
        group.allow_from_networks(map(str, environment.access.api.allowed_cidrs), KUBERNETES_API)
        group.allow_out(self.nodes)
        self.nodes.allow_from(group, KUBERNETES_API)
        return group
