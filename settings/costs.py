"""What a setting costs: for docs/settings.md, in the prices of ``settings/prices.yaml``. ``make cost`` has the sums of an environment.

``tests/unit/settings/test_effects.py`` holds the keys against the estimate: a setting is named here if another value of it changes the sum.
"""

from collections.abc import Mapping

from settings.cost import CostAssumptions
from settings.prices import Prices

HOURS = 730
"""Hours of a month, as AWS calculates."""

_MACHINE = "USD a month each, by type: {machines}"
_DISK = "{disk} USD a month for each GiB of each machine"
_LOGS = "{log} USD a GB"

COSTS: Mapping[str, str] = {
    "deletion_protection": "{bucket} USD a month for each GB in the bucket for files of patients, which is there then in any case",
    "network.availability_zones": "{address} USD a month of public addresses for each zone, and {between_zones} USD a GB between zones",
    "network.nat_gateways": "{nat} USD a month each with its address, and {nat_gb} USD a GB",
    "network.private_only": "saves the NAT gateways and the public addresses",
    "network.endpoints": "{endpoint} USD a month each in each zone, and {endpoint_gb} USD a GB",
    "network.flow_logs": _LOGS,
    "node_logs.enabled": _LOGS,
    "access.api.access": "public: {network_lb} USD a month for a load balancer, and {address} USD for each zone",
    "access.ssh.jump_host.enabled": "its machine, and {address} USD a month for its address",
    "access.ssh.jump_host.instance_type": _MACHINE,
    "servers.count": "for each its machine and its disks",
    "servers.instance_type": _MACHINE,
    "servers.root_volume_gib": _DISK,
    "servers.data_volume_gib": _DISK,
    "agents.min_count": "for each its machine and its disk",
    "agents.instance_type": _MACHINE,
    "agents.root_volume_gib": _DISK,
    "agents.spot": "saves about {spot} % of the agents' machines",
    "pools": "its machines and their disks",
    "pools.*.instance_types": _MACHINE,
    "pools.*.min_count": "for each its machine and its disks",
    "pools.*.root_volume_gib": _DISK,
    "pools.*.extra_volumes": _DISK,
    "pools.*.spot": "saves about {spot} % of the pool's machines",
    "pools.*.on_demand_base": "these machines are not Spot",
    "load_balancer.access_logs": "{bucket} USD a month for each GB that is kept",
    "application.volume": "{disk} USD a month for each GiB of each instance of the database",
    "application.database_instances": "for each a volume of `application.volume`",
    "application.attachments_in_s3": "{bucket} USD a month for each GB of files",
    "backups.volume_snapshots.enabled": "{snapshot} USD a month for each GiB that snapshots hold",
    "backups.replica_region": "{bucket} USD a month for each GB of copies, and {key} USD for a key",
    "backups.delete_copies": "saves the copies and their key",
    "schedule.enabled": "saves the machines' hours outside of the schedule",
    "schedule.start": "by the machines' hours",
    "schedule.stop": "by the machines' hours",
    "schedule.days": "by the machines' hours",
    "alarms.enabled": "{alarm} USD a month for each alarm",
    "dashboard.enabled": "{dashboard} USD a month, the first three of an account are free",
    "services.monitoring.enabled": "its volumes, and the agents that it needs",
    "services.monitoring.volume": "{disk} USD a month for each GiB",
    "services.logs.enabled": _LOGS,
    "services.velero.enabled": "{bucket} USD a month for each GB of objects, and {snapshot} USD for each GiB of snapshots of volumes",
}
"""By the key of the setting, as ``settings/effects.py`` writes keys. Settings that are not here cost nothing."""

SHOWN = ("t3.medium", "t3.large", "t3.xlarge", "m6i.large")
"""Types whose price stands on the page, as a scale for others."""


def cost(key: str, prices: Prices) -> str:
    """What a setting costs, with amounts in USD; an empty string if it costs nothing."""
    return COSTS.get(key, "").format(**_amounts(prices))


def _amounts(prices: Prices) -> dict[str, str]:
    machines = ", ".join(f"{kind} {prices.instance_hour(kind) * HOURS:.0f}" for kind in SHOWN)
    amounts = {
        "disk": prices.volume_gib_month["gp3"],
        "log": prices.log_gb,
        "address": prices.public_ipv4_hour * HOURS,
        "between_zones": prices.cross_zone_gb,
        "nat": (prices.nat_gateway_hour + prices.public_ipv4_hour) * HOURS,
        "nat_gb": prices.nat_gateway_gb,
        "endpoint": prices.endpoint_zone_hour * HOURS,
        "endpoint_gb": prices.endpoint_gb,
        "network_lb": prices.load_balancer_hour["network"] * HOURS,
        "bucket": prices.bucket_gb_month,
        "snapshot": prices.snapshot_gib_month,
        "key": prices.key_month,
        "alarm": prices.alarm_month,
        "dashboard": prices.dashboard_month,
    }
    return {
        "machines": machines,
        "spot": f"{CostAssumptions().spot_discount:g}",
        **{name: _usd(amount) for name, amount in amounts.items()},
    }


def _usd(amount: float) -> str:
    """With cents, and with what is below a cent."""
    return f"{amount:.2f}" if amount >= 1 or round(amount, 2) == amount else f"{amount:g}"
