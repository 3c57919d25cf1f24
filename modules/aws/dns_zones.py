"""The DNS zones of all environments."""

from collections.abc import Iterable, Sequence

from cdktf_cdktf_provider_aws.route53_record import Route53Record
from cdktf_cdktf_provider_aws.route53_zone import Route53Zone
from constructs import Construct

from modules.aws.lifecycle import lifecycle

DELEGATION_TTL_SECONDS = 3600
"""How long resolvers remember which name servers a zone has."""


class DnsZones(Construct):
    """One public zone for the domain and one for each environment below it, delegated from the domain's own.

    Zones outlive environments, because name servers change with a zone and the registrar would have to be told again.

    :param domain: the team's domain; its name servers are set at the registrar.
    :param names: zones to make; the domain itself is always made.
    :param former: zones to keep as they are, a former domain among them, while their names are given up.
    """

    def __init__(
        self, scope: Construct, id_: str, *, domain: str, names: Iterable[str], former: Iterable[str] = ()
    ) -> None:
        super().__init__(scope, id_)
        self.domain = self._zone(domain)
        others = sorted({*names, *former} - {domain})
        self.zones = {domain: self.domain, **{name: self._zone(name) for name in others}}
        for name in others:
            if above := _above(name, [domain, *former]):
                self._delegate(name, self.zones[above])

    def _zone(self, name: str) -> Route53Zone:
        return Route53Zone(
            self, f"zone_{name}", name=name, comment="veterinary platform", lifecycle=lifecycle(protect=True)
        )

    def _delegate(self, name: str, above: Route53Zone) -> None:
        Route53Record(
            self,
            f"delegation_{name}",
            zone_id=above.zone_id,
            name=name,
            type="NS",
            ttl=DELEGATION_TTL_SECONDS,
            records=self.zones[name].name_servers,
        )


def _above(name: str, domains: Sequence[str]) -> str | None:
    """The first of the domains that the name is below. None for a former domain itself, whose name servers stand at the registrar."""
    return next((domain for domain in domains if name.endswith(f".{domain}")), None)
