"""What AWS charges: the dated table in ``settings/prices.yaml``."""

import re
from functools import cache
from pathlib import Path

import yaml

from settings.base import Section

FILE = Path(__file__).with_name("prices.yaml")
"""The table; it names the region, the date and the pages that publish each price."""

SIZES = {"nano": 1 / 16, "micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1.0, "xlarge": 2.0}
"""Price of an instance size relative to the family's large."""


class Commitment(Section):
    """A discount for paying every hour of some years, without upfront payment."""

    name: str
    years: int
    percent: float


class Prices(Section):
    """List prices in USD."""

    region: str
    as_of: str
    pages: dict[str, str]
    instance_hour_of_large: dict[str, float]
    commitments: list[Commitment]
    surplus_vcpu_hour: dict[str, float]
    detailed_monitoring_instance: float
    volume_gib_month: dict[str, float]
    snapshot_gib_month: float
    nat_gateway_hour: float
    nat_gateway_gb: float
    endpoint_zone_hour: float
    endpoint_gb: float
    public_ipv4_hour: float
    internet_gb: float
    cross_zone_gb: float
    load_balancer_hour: dict[str, float]
    capacity_unit_hour: dict[str, float]
    key_month: float
    secret_month: float
    zone_month: float
    bucket_gb_month: float
    image_gb_month: float
    log_gb: float
    alarm_month: float
    dashboard_month: float
    budget_action_day: float

    def instance_hour(self, instance_type: str) -> float:
        """Price of an hour of an instance type, on demand.

        Raises:
            KeyError: the table has no price for the family or the size; the text names the file.
        """
        family, _, size = instance_type.partition(".")
        multiple = re.fullmatch(r"(\d+)xlarge", size)
        factor = 2.0 * int(multiple[1]) if multiple else SIZES.get(size)
        if family not in self.instance_hour_of_large or factor is None:
            raise KeyError(f"no price for {instance_type}: add its family to instance_hour_of_large in {FILE.name}")
        return self.instance_hour_of_large[family] * factor


@cache
def prices() -> Prices:
    """The table, read once."""
    return Prices.model_validate(yaml.safe_load(FILE.read_text()))
