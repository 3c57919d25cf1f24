"""Load balancers: the network one for the Kubernetes API, and the application one that the internet reaches."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_listener import LbListener, LbListenerDefaultAction
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup
from cdktf_cdktf_provider_aws.lb_target_group_attachment import LbTargetGroupAttachment
from constructs import Construct

from modules.aws.host_rules import HostRules
from modules.aws.lifecycle import lifecycle
from modules.aws.network import PlacedSubnet
from modules.aws.security_groups import HTTP, HTTPS, KUBERNETES_API, Port, SecurityGroup
from modules.aws.servers import Servers
from settings.environment import Hosts
from settings.load_balancer import LoadBalancer
from settings.names import Names


class ApiLoadBalancer(Construct):
    """A network load balancer for ports of the servers that an application load balancer cannot carry.

    Both ports are checked on 6443: 9345 answers before a server can take a join (rke2-docs, high availability). Client addresses are not
    kept, since a server that reaches itself through the load balancer would otherwise get no answer (AWS: NLB troubleshooting, hairpin).

    :param internal: reachable inside the VPC only.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        vpc_id: str,
        subnets: Mapping[str, PlacedSubnet],
        security_group: SecurityGroup,
        ports: Sequence[Port],
        internal: bool,
        protect: bool,
    ) -> None:
        super().__init__(scope, id_)
        self.load_balancer = Lb(
            self,
            "Resource",
            name=name,
            load_balancer_type="network",
            internal=internal,
            subnets=[subnet.id for subnet in subnets.values()],
            security_groups=[security_group.id],
            enable_cross_zone_load_balancing=True,
            enable_deletion_protection=protect,
            tags={"Name": name},
        )
        self._name, self._vpc_id = name, vpc_id
        self._groups = {port: self._port(port) for port in ports}

    @property
    def host(self) -> str:
        """DNS name of the load balancer."""
        return self.load_balancer.dns_name

    @property
    def dimensions(self) -> dict[str, str]:
        """CloudWatch dimensions of the targets for the Kubernetes API."""
        return _dimensions(self.load_balancer, self._groups[KUBERNETES_API])

    def register_targets(self, servers: Servers) -> None:
        """Make the servers its targets."""
        for port, group in self._groups.items():
            _attach(self, port, group, servers)

    def _port(self, port: Port) -> LbTargetGroup:
        group = LbTargetGroup(
            self,
            f"target_group_{port.number}",
            name=f"{self._name}-{port.number}",
            port=port.number,
            protocol="TCP",
            vpc_id=self._vpc_id,
            target_type="instance",
            preserve_client_ip="false",
            deregistration_delay="60",
            health_check={
                "protocol": "TCP",
                "port": str(KUBERNETES_API.number),
                "interval": 10,
                "healthy_threshold": 2,
                "unhealthy_threshold": 2,
            },
            tags={"Name": f"{self._name}-{port.number}"},
        )
        LbListener(
            self,
            f"listener_{port.number}",
            load_balancer_arn=self.load_balancer.arn,
            port=port.number,
            protocol="TCP",
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=group.arn)],
        )
        return group


class IngressLoadBalancer(Construct):
    """The application load balancer: ends TLS, sends plain HTTP to HTTPS, and forwards to the ingress controller on the servers.

    :param hosts: the public names; the operators' are limited to ``rancher_networks``, if there are any.
    :param certificate_arn: a certificate that has been issued; a reference to its validation, so that the listener waits.
    :param internal: without public addresses, for those inside the VPC and the networks that it is connected to.
    :param logs_bucket: bucket for access logs, if they are kept.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        settings: LoadBalancer,
        vpc_id: str,
        subnets: Mapping[str, PlacedSubnet],
        security_group: SecurityGroup,
        hosts: Hosts,
        rancher_networks: Sequence[IPv4Network],
        certificate_arn: str,
        protect: bool,
        internal: bool = False,
        logs_bucket: str | None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._settings = names, settings
        logs: dict[str, Any] | None = {"bucket": logs_bucket, "enabled": True} if logs_bucket else None
        self.load_balancer = Lb(
            self,
            "Resource",
            name=names.base,
            load_balancer_type="application",
            internal=internal,
            subnets=[subnet.id for subnet in subnets.values()],
            security_groups=[security_group.id],
            idle_timeout=settings.idle_timeout_seconds,
            drop_invalid_header_fields=True,
            enable_deletion_protection=protect,
            access_logs=logs,
            tags={"Name": names.base},
            lifecycle=lifecycle(protect=protect),
            depends_on=list(depends_on),
        )
        self._group = self._target_group(vpc_id)
        listener = self._listeners(certificate_arn)
        if rancher_networks:
            HostRules(
                self,
                "host_rules",
                listener=listener,
                target_group_arn=self._group.arn,
                open_host=hosts.application,
                limited_hosts=hosts.operators,
                networks=rancher_networks,
            )

    @property
    def dimensions(self) -> dict[str, str]:
        """CloudWatch dimensions of its targets."""
        return _dimensions(self.load_balancer, self._group)

    def register_targets(self, servers: Servers) -> None:
        """Make the servers, on which the ingress controller runs, its targets."""
        _attach(self, HTTPS, self._group, servers)

    def _target_group(self, vpc_id: str) -> LbTargetGroup:
        check = self._settings.health_check
        # Its port cannot be changed, and a listener's group cannot be deleted: another port is another group, made first.
        port = self._settings.target_port
        name = self._names.target_group("ingress" if port == HTTPS.number else f"ingress-{port}")
        return LbTargetGroup(
            self,
            "target_group",
            name=name,
            port=port,
            protocol="HTTPS",
            vpc_id=vpc_id,
            target_type="instance",
            deregistration_delay="60",
            health_check={
                "protocol": "HTTPS",
                "path": check.path,
                "matcher": "200",
                "interval": check.interval_seconds,
                "timeout": check.timeout_seconds,
                "healthy_threshold": check.healthy_threshold,
                "unhealthy_threshold": check.unhealthy_threshold,
            },
            tags={"Name": name},
            lifecycle={"create_before_destroy": True},
        )

    def _listeners(self, certificate_arn: str) -> LbListener:
        """Both ports; the one that is returned hands requests on."""
        https = str(HTTPS.number)
        LbListener(
            self,
            "http",
            load_balancer_arn=self.load_balancer.arn,
            port=HTTP.number,
            protocol="HTTP",
            default_action=[
                LbListenerDefaultAction(
                    type="redirect", redirect={"port": https, "protocol": "HTTPS", "status_code": "HTTP_301"}
                )
            ],
        )
        return LbListener(
            self,
            "https",
            load_balancer_arn=self.load_balancer.arn,
            port=HTTPS.number,
            protocol="HTTPS",
            ssl_policy=self._settings.tls_policy,
            certificate_arn=certificate_arn,
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=self._group.arn)],
        )


def _attach(scope: Construct, port: Port, group: LbTargetGroup, servers: Servers) -> None:
    for server in servers.servers:
        LbTargetGroupAttachment(
            scope,
            f"target_{port.number}_slot_{server.slot.number}",
            target_group_arn=group.arn,
            target_id=server.instance.id,
        )


def _dimensions(balancer: Lb, group: LbTargetGroup) -> dict[str, str]:
    return {"LoadBalancer": balancer.arn_suffix, "TargetGroup": group.arn_suffix}
