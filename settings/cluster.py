"""The RKE2 cluster: which versions, which pod network, which snapshots."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, Section
from settings.release_sets import ReleaseSet, release_set

INGRESS = {"nginx": "ingress-nginx", "traefik": "traefik"}
"""The catalogue's name of each ingress controller that ``cluster.ingress`` may ask for."""


class Snapshots(Section):
    """etcd snapshots to the environment's bucket."""

    schedule: Annotated[str, Field(pattern=r"^[0-9*/,-]+( [0-9*/,-]+){4}$", examples=["0 */6 * * *"])] = "0 */6 * * *"
    """When each server takes a snapshot of etcd, as a cron expression in UTC."""

    retention: Annotated[int, Field(ge=1, le=1000)] = 28
    """How many snapshots of etcd are kept for each server. RKE2 counts those of all servers together, so its configuration has this number times the
    servers."""


class Charts(Section):
    """Where Helm charts come from."""

    mirror: (
        Annotated[
            str, Field(pattern=r"^(https?|oci)://[^\s/]+(/\S*)?$", examples=["https://charts.clinic.example.com"])
        ]
        | None
    ) = None
    """One repository that has all charts, instead of each project's own: for a network without internet, or to survive
    a project's repository."""


class ClusterSettings(Section):
    """RKE2 (architecture: RKE2 Cluster)."""

    release_set: Literal["documented", "current"] = "documented"
    """Versions that are known to fit together, see ``settings/release_sets.py``."""

    versions: dict[str, str] = {}
    """Other versions than the set's, by component, such as ``rancher: 2.7.10``; what no longer fits is an error."""

    cni: Literal["calico"] = "calico"
    """Pod network; Calico brings network policies."""

    ingress: Literal["nginx", "traefik"] = "nginx"
    """Ingress controller, on every server's ports 80 and 443: never both. Upstream's ingress-nginx was retired in March 2026."""

    pod_cidr: Cidr = IPv4Network("10.42.0.0/16")
    """Addresses of pods; must not overlap the VPC. Each node takes a /24 of it."""

    service_cidr: Cidr = IPv4Network("10.43.0.0/16")
    """Addresses of services, /12 to /24; must not overlap the VPC or the pods."""

    hardening: Annotated[Literal["cis"], Field(examples=["cis"])] | None = None
    """``cis``: RKE2's profile for the CIS benchmark, and what it needs of the machines and of the platform
    (docs/runbooks/cis-hardening.md). Left out, RKE2's own defaults, which pass most of the benchmark."""

    snapshots: Snapshots = Snapshots()
    """etcd snapshots."""

    @property
    def releases(self) -> ReleaseSet:
        """What is installed: the set with the versions that replace some of it.

        Raises ``UnknownReleaseError`` for a version that the catalogue does not know; settings that were loaded have
        none.
        """
        return self.installed(release_set(self.release_set).override(self.versions))

    def installed(self, releases: ReleaseSet) -> ReleaseSet:
        """Of these, what such a cluster has: one of the ingress controllers."""
        return releases.without(*(component for name, component in INGRESS.items() if name != self.ingress))
