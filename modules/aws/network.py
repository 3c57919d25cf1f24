"""The network of an environment: VPC, subnets, ways in and out, or a VPC that is there already."""

from collections.abc import Mapping

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from constructs import Construct

from modules.aws.existing_network import existing_subnets, existing_vpc
from modules.aws.security_groups import SecurityGroup
from modules.fixed import Fixed
from settings.environment import Environment
from settings.names import Names

ANYWHERE = "0.0.0.0/0"
"""The default route."""


PlacedSubnet = Subnet | DataAwsSubnet
"""A subnet that the environment makes, or one that is there already."""


class Network(Construct):
    """VPC with a public and a private subnet in each zone, or with private ones alone. Everything is keyed by the zone's letter.

    Public subnets reach the internet through the internet gateway, private ones through a NAT gateway: that of their own zone, or the
    first there is. S3 is reached by a gateway endpoint, which costs nothing and keeps snapshots off the NAT gateway. In a VPC that is there
    already nothing of this is made: its subnets are looked up, and a plan fails where they are not what the settings say.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, environment: Environment) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._settings = environment.network
        self._region = environment.region
        self._egress: list[ITerraformDependable] = []
        self.vpc: Vpc | DataAwsVpc
        self.public: Mapping[str, PlacedSubnet]
        self.private: Mapping[str, PlacedSubnet]
        if self._settings.existing:
            self.vpc = existing_vpc(self, settings=self._settings)
            self.public = existing_subnets(self, kind="public", settings=self._settings, region=environment.region)
            self.private = existing_subnets(self, kind="private", settings=self._settings, region=environment.region)
        else:
            self._make()

    def _make(self) -> None:
        names = self._names
        self.vpc = Vpc(
            self,
            "vpc",
            cidr_block=str(self._settings.cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": names.base},
        )
        DefaultSecurityGroup(
            self, "default_security_group", vpc_id=self.vpc.id, tags={"Name": names.resource("unused")}
        )
        self.public, tables = {}, []
        if not self._settings.private_only:
            self.public = {letter: self._subnet("public", letter) for letter in self._settings.availability_zones}
        self.private = {letter: self._subnet("private", letter) for letter in self._settings.availability_zones}
        nat_gateways: dict[str, NatGateway] = {}
        if not self._settings.private_only:
            gateway = InternetGateway(self, "internet_gateway", vpc_id=self.vpc.id, tags={"Name": names.base})
            tables.append(self._public_routes(gateway))
            nat_gateways = {letter: self._nat_gateway(letter, gateway) for letter in self._settings.nat_gateways}
        self._s3_endpoint([*tables, *self._private_routes(nat_gateways).values()])

    @property
    def balanced(self) -> Mapping[str, PlacedSubnet]:
        """Where the application load balancer stands: in the public subnets, where there are any."""
        return self.public or self.private

    @property
    def egress(self) -> list[ITerraformDependable]:
        """What an instance in a private subnet must wait for before it can reach the internet at boot."""
        return list(self._egress)

    def zone(self, letter: str) -> str:
        """Full name of a zone, such as us-east-1a."""
        return f"{self._region}{letter}"

    def connect(self, security_group: SecurityGroup) -> None:
        """Make the interface endpoints that the settings name, in every zone.

        :param security_group: who has it may be reached by the nodes.
        """
        for name in self._settings.endpoints:
            label = name.replace(".", "-")
            endpoint = VpcEndpoint(
                self,
                f"{label}_endpoint",
                vpc_id=self.vpc.id,
                service_name=f"com.amazonaws.{self._region}.{name}",
                vpc_endpoint_type="Interface",
                subnet_ids=[subnet.id for subnet in self.private.values()],
                security_group_ids=[security_group.id],
                private_dns_enabled=True,
                tags={"Name": self._names.resource(label)},
            )
            self._egress.append(endpoint)

    def _subnet(self, kind: str, letter: str) -> Subnet:
        public = kind == "public"
        role = "kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb"
        cidr = str(getattr(self._settings.availability_zones[letter], kind))
        Fixed(
            self,
            f"range_{kind}_{letter}",
            values={f"network.availability_zones.{letter}.{kind}": cidr},
            why="A subnet keeps its range while nodes or load balancers are in it.",
        )
        return Subnet(
            self,
            f"{kind}_{letter}",
            vpc_id=self.vpc.id,
            availability_zone=self.zone(letter),
            cidr_block=cidr,
            map_public_ip_on_launch=public,
            tags={"Name": self._names.resource(kind, letter), self._names.cluster_tag: "shared", role: "1"},
        )

    def _public_routes(self, gateway: InternetGateway) -> RouteTable:
        table = RouteTable(self, "public_routes", vpc_id=self.vpc.id, tags={"Name": self._names.resource("public")})
        self._public_route = Route(
            self,
            "public_default_route",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
        )
        for letter, subnet in self.public.items():
            RouteTableAssociation(self, f"public_routes_{letter}", subnet_id=subnet.id, route_table_id=table.id)
        return table

    def _nat_gateway(self, letter: str, gateway: InternetGateway) -> NatGateway:
        name = self._names.resource("nat", letter)
        address = Eip(self, f"nat_address_{letter}", domain="vpc", tags={"Name": name}, depends_on=[gateway])
        return NatGateway(
            self,
            f"nat_gateway_{letter}",
            allocation_id=address.id,
            subnet_id=self.public[letter].id,
            tags={"Name": name},
            depends_on=[self._public_route],
        )

    def _private_routes(self, nat_gateways: dict[str, NatGateway]) -> dict[str, RouteTable]:
        first = next(iter(nat_gateways.values()), None)
        tables: dict[str, RouteTable] = {}
        for letter, subnet in self.private.items():
            tags = {"Name": self._names.resource("private", letter)}
            tables[letter] = RouteTable(self, f"private_routes_{letter}", vpc_id=self.vpc.id, tags=tags)
            if gateway := nat_gateways.get(letter, first):
                route = Route(
                    self,
                    f"private_default_route_{letter}",
                    route_table_id=tables[letter].id,
                    destination_cidr_block=ANYWHERE,
                    nat_gateway_id=gateway.id,
                )
                self._egress.append(route)
            association = RouteTableAssociation(
                self, f"private_routes_{letter}_association", subnet_id=subnet.id, route_table_id=tables[letter].id
            )
            self._egress.append(association)
        return tables

    def _s3_endpoint(self, tables: list[RouteTable]) -> None:
        endpoint = VpcEndpoint(
            self,
            "s3_endpoint",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{self._region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags={"Name": self._names.resource("s3")},
        )
        self._egress.append(endpoint)
