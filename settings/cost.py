"""What the cost estimate assumes: use cannot be read from the resources."""

from typing import Annotated

from pydantic import Field

from settings.base import Section

Amount = Annotated[float, Field(ge=0, strict=False)]
"""A number that is not negative."""

Percent = Annotated[float, Field(ge=0, le=100, strict=False)]
"""0 to 100."""


class CostAssumptions(Section):
    """What ``make cost`` assumes of a month. ``make cost ASSUME="nat_gb=500"`` tries another value."""

    hours: Annotated[float, Field(gt=0, le=744, strict=False)] = 730
    """Hours that everything runs; AWS calculates with 730 a month."""

    nat_gb: Amount = 100
    """GB through each NAT gateway: images, packages, AWS's APIs. S3 goes through its own endpoint and is not counted."""

    endpoint_gb: Amount = 10
    """GB through each interface endpoint (``network.endpoints``)."""

    internet_gb: Amount = 20
    """GB out to the internet. The first 100 GB of an account are free; they are counted all the same."""

    cross_zone_gb: Amount = 100
    """GB between zones for each zone: database replicas, load balancers, etcd."""

    alb_units: Amount = 0.5
    """Capacity units of the application load balancer, on average (25 new connections a second or 1 GB an hour each)."""

    nlb_units: Amount = 0.2
    """Capacity units of each network load balancer, on average."""

    bucket_gb: Amount = 5
    """GB in each bucket."""

    image_gb: Amount = 5
    """GB of images in the registry."""

    log_gb: Amount = 2
    """GB a month into each group of logs."""

    surplus_vcpu_hours: Amount = 20
    """vCPU hours above the baseline that each burstable node uses."""

    snapshot_share: Percent = 60
    """Percent of the volumes' size that their snapshots hold; counted only where snapshots are taken."""

    spot_discount: Percent = 60
    """Percent that Spot is cheaper than on demand; it changes by the hour, and AWS says up to 90."""

    reserved_discount: Percent = 37
    """Percent that a standard reservation of one year without upfront payment saves on t3."""

    working_hours: Annotated[float, Field(ge=0, le=168, strict=False)] = 60
    """Hours a week of an environment that could be stopped at night: five days of twelve hours. Where ``schedule`` is
    enabled, its own hours count."""
