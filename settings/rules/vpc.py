"""Rules about a VPC that is there already, about one without public addresses, and about the ways out of each."""

from collections.abc import Iterator

from settings.access import Access
from settings.extras import Proxy
from settings.network import NetworkSettings
from settings.problems import Finding, Key
from settings.rules.registry import error, warning

ZONES: Key = ("network", "availability_zones")
EXISTING: Key = ("network", "existing", "subnets")


@error
def public_subnets_where_needed(network: NetworkSettings) -> Iterator[Finding]:
    """An internet-facing load balancer stands in public subnets (Elastic Load Balancing: subnets for your ALB); what is private only has none."""
    for letter, subnets in network.availability_zones.items():
        key = (*ZONES, letter, "public")
        if network.private_only and subnets.public is not None:
            yield Finding(key, "must be left out where network.private_only is true", "remove it")
        elif not network.private_only and subnets.public is None:
            rule = "must be given: the load balancer, which the internet reaches, stands there"
            yield Finding(key, rule, "add public: RANGE, or set network.private_only: true", value="nothing")


@error
def nat_where_needed(network: NetworkSettings) -> Iterator[Finding]:
    """A new VPC's private subnets go out through a NAT gateway of ours; an existing VPC has its owner's way out, and a private one none."""
    key: Key = ("network", "nat_gateways")
    theirs = "the VPC exists already" if network.existing else "network.private_only is true"
    if network.existing or network.private_only:
        if network.nat_gateways:
            yield Finding(key, f"must be left out where {theirs}: none is made", "remove it")
    elif not network.nat_gateways:
        first = next(iter(network.availability_zones))
        rule = "must name a zone or more: nodes fetch images and programs through a NAT gateway"
        yield Finding(key, rule, f"write [{first}]")


@error
def existing_subnets_complete(network: NetworkSettings) -> Iterator[Finding]:
    """Every zone has its subnets' ids, and every id its range, from which the servers' addresses are calculated."""
    if network.existing is None:
        return
    known = network.existing.subnets
    for letter in [each for each in network.availability_zones if each not in known]:
        rule = f"must have the zones of network.availability_zones, {', '.join(network.availability_zones)}; {letter} is missing"
        yield Finding(EXISTING, rule, f"add {letter}: {{public: subnet-..., private: subnet-...}}")
    for letter, subnets in known.items():
        key = (*EXISTING, letter)
        if letter not in network.availability_zones:
            rule = f"must be one of the zones in network.availability_zones: {', '.join(network.availability_zones)}"
            yield Finding(key, rule, f"remove it, or add {letter} with its ranges there", value=letter)
        elif network.private_only and subnets.public is not None:
            yield Finding((*key, "public"), "must be left out where network.private_only is true", "remove it")
        elif not network.private_only and subnets.public is None:
            rule = "must be given: the load balancer, which the internet reaches, stands there"
            yield Finding((*key, "public"), rule, "add its id, or set network.private_only: true", value="nothing")


@error
def existing_subnets_once(network: NetworkSettings) -> Iterator[Finding]:
    """A subnet is in one zone, and public or private."""
    seen: dict[str, str] = {}
    for letter, subnets in (network.existing.subnets if network.existing else {}).items():
        for kind, id_ in (("public", subnets.public), ("private", subnets.private)):
            if id_ in seen:
                yield Finding(
                    (*EXISTING, letter, kind), f"must not be {seen[id_]} as well", "give the id of another one"
                )
            elif id_:
                seen[id_] = f"network.existing.subnets.{letter}.{kind}"


@error
def private_only_has_a_way_out(network: NetworkSettings, proxy: Proxy | None) -> Iterator[Finding]:
    """Nodes fetch RKE2, images and charts; a new VPC without gateways leads nowhere."""
    if network.private_only and network.existing is None and proxy is None:
        rule = "must not be true without a way out: a new VPC without gateways leads nowhere, and nodes fetch RKE2 and images"
        yield Finding(
            ("network", "private_only"), rule, "set proxy.url, or network.existing with a VPC whose routes lead out"
        )


@error
def private_only_is_private(network: NetworkSettings, access: Access) -> Iterator[Finding]:
    """Nothing in it has a public address."""
    if not network.private_only:
        return
    if access.api.access == "public":
        rule = "must be private where network.private_only is true: there is no public subnet"
        yield Finding(("access", "api", "access"), rule, "remove it: make kubeconfig TUNNEL=yes leads in")
    if access.ssh.jump_host.enabled:
        rule = "must be false where network.private_only is true: there is no public subnet"
        yield Finding(("access", "ssh", "jump_host", "enabled"), rule, "remove it: Session Manager leads to every node")


@error
def endpoints_once(network: NetworkSettings) -> Iterator[Finding]:
    """A VPC has one endpoint with a service's own name (AWS PrivateLink: private DNS names)."""
    for index, name in enumerate(network.endpoints):
        if name in network.endpoints[:index]:
            yield Finding(("network", "endpoints", index), "must be named once", "remove the second one")


@warning
def session_manager_endpoints(network: NetworkSettings) -> Iterator[Finding]:
    """Session Manager needs ssm and ssmmessages (AWS Systems Manager: VPC endpoints)."""
    pair = {"ssm", "ssmmessages"}
    missing = sorted(pair.difference(network.endpoints))
    if pair & {*network.endpoints} and missing:
        rule = (
            f"should name {missing[0]} too: Session Manager, by which people and the ready gate reach nodes, needs both"
        )
        yield Finding(("network", "endpoints"), rule, f"add {missing[0]}")
