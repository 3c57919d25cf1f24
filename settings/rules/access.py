"""Rules about who may reach what."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from settings.access import Access
from settings.environment import Hosts
from settings.load_balancer import most_networks
from settings.network import BEHIND_NAT, NetworkSettings
from settings.problems import Finding, Key
from settings.rules.registry import error

BROADEST_PRIVATE = 8
"""10.0.0.0/8 is the broadest private range; whatever is broader takes in the internet, and 0.0.0.0/1 with 128.0.0.0/1
is all of it."""

BROADEST_PUBLIC = 16
"""65,536 public addresses: more than an office or a VPN has, and little enough not to be a provider or a country."""


OFFICE = "write your office's or VPN's network, such as 198.51.100.7/32"


@error
def api_networks_narrow(access: Access) -> Iterator[Finding]:
    """The Kubernetes API is open to known networks only; 0.0.0.0/0 is refused."""
    yield from _narrow(("access", "api", "allowed_cidrs"), access.api.allowed_cidrs, "the Kubernetes API")


@error
def ssh_networks_narrow(access: Access) -> Iterator[Finding]:
    """SSH is open to known networks only; 0.0.0.0/0 is refused."""
    yield from _narrow(("access", "ssh", "allowed_cidrs"), access.ssh.allowed_cidrs, "SSH")


@error
def rancher_networks_narrow(access: Access) -> Iterator[Finding]:
    """A list is for known networks; without one Rancher is open, and a warning says so."""
    for index, network in enumerate(access.rancher.allowed_cidrs):
        if network.prefixlen < BROADEST_PUBLIC:
            rule = f"must not open Rancher to strangers: at most a /{BROADEST_PUBLIC}"
            yield Finding(("access", "rancher", "allowed_cidrs", index), rule, OFFICE)


@error
def rancher_networks_public(access: Access, network: NetworkSettings) -> Iterator[Finding]:
    """An internet-facing load balancer has public addresses, and a client that comes to it has one by then."""
    if network.private_only:
        return
    for index, allowed in enumerate(access.rancher.allowed_cidrs):
        if any(allowed.subnet_of(private) for private in BEHIND_NAT):
            yield Finding(
                ("access", "rancher", "allowed_cidrs", index),
                "must be public: an internet-facing load balancer never sees a private address",
                "write the public address that they leave by: of a VPC those of its NAT gateways",
            )


@error
def somebody_gets_in(access: Access) -> Iterator[Finding]:
    """Without an issuer the shared accounts are the only way in."""
    if not access.identity.shared and access.identity.issuer is None:
        rule = "must be true as long as access.identity.issuer is not set: nobody in access.principals would get in"
        yield Finding(("access", "identity", "shared"), rule, "set the issuer first, or true")


def _narrow(key: Key, networks: list[IPv4Network], what: str) -> Iterator[Finding]:
    for index, network in enumerate(networks):
        broadest = BROADEST_PRIVATE if network.is_private else BROADEST_PUBLIC
        if network.prefixlen < broadest:
            rule = (
                f"must not open {what} to strangers: at most a /{BROADEST_PUBLIC}, or a /{BROADEST_PRIVATE} of "
                "private addresses"
            )
            yield Finding((*key, index), rule, f"{OFFICE}; Session Manager needs none")


@error
def public_api_names_networks(access: Access) -> Iterator[Finding]:
    """A public API that nobody may reach is a mistake, and one that all may reach is a worse one."""
    if access.api.access == "public" and not access.api.allowed_cidrs:
        rule = "must have access.api.allowed_cidrs: a public API says which networks reach it"
        yield Finding(
            ("access", "api", "access"), rule, "add access.api.allowed_cidrs, or set access.api.access to private"
        )


@error
def ssh_networks_need_key(access: Access) -> Iterator[Finding]:
    """Without a key nobody can log in by SSH, so port 22 must stay closed."""
    if access.ssh.allowed_cidrs and access.ssh.public_key is None:
        rule = "must come with access.ssh.public_key: without a key, port 22 would be open but unusable"
        yield Finding(("access", "ssh", "allowed_cidrs"), rule, "add access.ssh.public_key, or remove the networks")


RULES_IN_A_GROUP = 60
"""Inbound rules that a security group has room for (Amazon VPC quotas)."""


@error
def networks_once(access: Access, hosts: Hosts) -> Iterator[Finding]:
    """A security group takes a rule once (EC2 API: InvalidPermission.Duplicate), and sixty of them; a load balancer has a hundred rules."""
    in_group, on_balancer = "a security group's rules", "what fits into a load balancer's rules"
    for name, networks, most, what in (
        ("api", access.api.allowed_cidrs, RULES_IN_A_GROUP, in_group),
        ("ssh", access.ssh.allowed_cidrs, RULES_IN_A_GROUP, in_group),
        ("rancher", access.rancher.allowed_cidrs, most_networks(len(hosts.operators)), on_balancer),
    ):
        key = ("access", name, "allowed_cidrs")
        for index, network in enumerate(networks):
            if network in networks[:index]:
                yield Finding((*key, index), "must name each network once", "remove the second one")
        if len(networks) > most:
            rule = f"must have at most {most} networks, {what}; there are {len(networks)}"
            yield Finding(key, rule, "join neighbouring networks into wider ones", value=f"{len(networks)} networks")
