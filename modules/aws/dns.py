"""Public names of an environment."""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.route53_record import Route53Record
from constructs import Construct


class HostedZone(Construct):
    """The environment's zone, which the state stack has made."""

    def __init__(self, scope: Construct, id_: str, *, name: str) -> None:
        super().__init__(scope, id_)
        self.zone = DataAwsRoute53Zone(self, "Resource", name=name, private_zone=False)

    @property
    def id(self) -> str:
        """The zone's id."""
        return self.zone.zone_id

    def add_alias_records(self, hosts: Sequence[str], load_balancer: Lb) -> None:
        """Alias records that lead the hosts to a load balancer."""
        for host in hosts:
            Route53Record(
                self,
                f"alias_{host}",
                zone_id=self.id,
                name=host,
                type="A",
                alias={
                    "name": load_balancer.dns_name,
                    "zone_id": load_balancer.zone_id,
                    "evaluate_target_health": True,
                },
            )
