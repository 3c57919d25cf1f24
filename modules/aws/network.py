"""The network of an environment: VPC, subnets, ways in and out."""

from cdktf import ITerraformDependable
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

from modules.fixed import Fixed
from settings.environment import Environment
from settings.names import Names

ANYWHERE = "0.0.0.0/0"
"""The default route."""


class Network(Construct):
    """VPC with a public and a private subnet in each zone. Everything is keyed by the zone's letter.

    Public subnets reach the internet through the internet gateway, private ones through a NAT gateway: that of their own zone, or the
    first there is. S3 is reached by a gateway endpoint, which costs nothing and keeps snapshots off the NAT gateway.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, environment: Environment) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._settings = environment.network
        self._region = environment.region
        self.vpc = Vpc(
            self,
            "vpc",
            cidr_block=str(self._settings.cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": names.base},
        )
        DefaultSecurityGroup(self, "default_security_group", vpc_id=self.vpc.id, tags={"Name": names.of("unused")})
        self.public = {letter: self._subnet("public", letter) for letter in self._settings.zones}
        self.private = {letter: self._subnet("private", letter) for letter in self._settings.zones}
        gateway = InternetGateway(self, "internet_gateway", vpc_id=self.vpc.id, tags={"Name": names.base})
        public_table = self._public_routes(gateway)
        nat_gateways = {letter: self._nat_gateway(letter, gateway) for letter in self._settings.nat_gateways}
        private_tables = self._private_routes(nat_gateways)
        self._s3_endpoint([public_table, *private_tables.values()])

    @property
    def egress(self) -> list[ITerraformDependable]:
        """What an instance in a private subnet must wait for before it can reach the internet at boot."""
        return list(self._egress)

    def zone(self, letter: str) -> str:
        """Full name of a zone, such as us-east-1a."""
        return f"{self._region}{letter}"

    def _subnet(self, kind: str, letter: str) -> Subnet:
        public = kind == "public"
        role = "kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb"
        cidr = str(getattr(self._settings.zones[letter], kind))
        Fixed(
            self,
            f"range_{kind}_{letter}",
            values={f"network.zones.{letter}.{kind}": cidr},
            why="A subnet keeps its range while nodes or load balancers are in it.",
        )
        return Subnet(
            self,
            f"{kind}_{letter}",
            vpc_id=self.vpc.id,
            availability_zone=self.zone(letter),
            cidr_block=cidr,
            map_public_ip_on_launch=public,
            tags={"Name": self._names.of(kind, letter), self._names.cluster_tag: "shared", role: "1"},
        )

    def _public_routes(self, gateway: InternetGateway) -> RouteTable:
        table = RouteTable(self, "public_routes", vpc_id=self.vpc.id, tags={"Name": self._names.of("public")})
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
        name = self._names.of("nat", letter)
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
        first = next(iter(nat_gateways.values()))
        tables: dict[str, RouteTable] = {}
        self._egress: list[ITerraformDependable] = []
        for letter, subnet in self.private.items():
            tags = {"Name": self._names.of("private", letter)}
            tables[letter] = RouteTable(self, f"private_routes_{letter}", vpc_id=self.vpc.id, tags=tags)
            route = Route(
                self,
                f"private_default_route_{letter}",
                route_table_id=tables[letter].id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=nat_gateways.get(letter, first).id,
            )
            association = RouteTableAssociation(
                self, f"private_routes_{letter}_association", subnet_id=subnet.id, route_table_id=tables[letter].id
            )
            self._egress += [route, association]
        return tables

    def _s3_endpoint(self, tables: list[RouteTable]) -> None:
        endpoint = VpcEndpoint(
            self,
            "s3_endpoint",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{self._region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags={"Name": self._names.of("s3")},
        )
        self._egress.append(endpoint)
