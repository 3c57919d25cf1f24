"""Rules about DNS names."""

from collections.abc import Iterator

from settings.access import Access
from settings.aws_constraints import constraint
from settings.environment import Hosts
from settings.problems import Finding
from settings.project import Project
from settings.rules.registry import error

COMMON_NAME = 64
"""The longest common name of a certificate (RFC 5280, ub-common-name; AWS Certificate Manager: RequestCertificate)."""


def _below(host: str, zone: str) -> bool:
    return host == zone or host.endswith(f".{zone}")


@error
def hosts_in_zone(hosts: Hosts, dns_zone: str) -> Iterator[Finding]:
    """Records of the hosts are written into the environment's zone."""
    for key, host in hosts.named:
        if not _below(host, dns_zone):
            yield Finding(
                ("hosts", key),
                f"must end with .{dns_zone}, the environment's zone",
                f"write such as {key}.{dns_zone}, or set dns_zone",
            )


@error
def zone_in_domain(dns_zone: str, project: Project) -> Iterator[Finding]:
    """Only the domain that the team owns can be delegated to the zone."""
    if not _below(dns_zone, project.domain):
        rule = f"must be {project.domain} or end with .{project.domain}, the project's domain"
        yield Finding(("dns_zone",), rule, "correct the hosts or dns_zone, or domain in _project.yaml")


@error
def hosts_differ(hosts: Hosts) -> Iterator[Finding]:
    """The ingress controller tells the application, Rancher and Grafana apart by host."""
    first: dict[str, str] = {}
    for key, host in hosts.named:
        if (other := first.setdefault(host, key)) != key:
            yield Finding(
                ("hosts", key), f"must differ from hosts.{other}", f"choose another name, such as {key}.{{domain}}"
            )


@error
def hosts_fit_certificate(hosts: Hosts) -> Iterator[Finding]:
    """A host is the common name of its certificate (RFC 5280: at most 64 characters)."""
    for key, host in hosts.named:
        if len(host) > COMMON_NAME:
            rule = (
                f"must have at most {COMMON_NAME} characters, since it is a certificate's common name; it has "
                f"{len(host)}"
            )
            yield Finding(("hosts", key), rule, "shorten it")


@error
def hosts_fit_rules(hosts: Hosts, access: Access) -> Iterator[Finding]:
    """Where Rancher is for some networks, the load balancer's rules name every host, and take fewer names than DNS does."""
    known = constraint("aws_lb_listener_rule.condition.host_header.values")
    for key, host in hosts.named if access.rancher.allowed_cidrs else ():
        for broken in known.broken_by(host):
            rule = f"must {broken}, since access.rancher.allowed_cidrs puts it into a rule of the load balancer ({known.source})"
            yield Finding(
                ("hosts", key), rule, "choose a host below another domain, or remove access.rancher.allowed_cidrs"
            )
