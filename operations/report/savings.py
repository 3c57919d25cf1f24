"""Ways to pay less, and what each would bring."""

from dataclasses import dataclass

from operations.report.cost_estimate import WEEKS, Estimate
from settings.cost import CostAssumptions
from settings.environment import Environment


def can_stop(environment: Environment) -> bool:
    """Whether an environment may be stopped at night, and is not yet."""
    return not environment.deletion_protection and not environment.schedule.enabled


@dataclass(frozen=True)
class Saving:
    """A way to pay less, and what it brings for one stack."""

    way: str
    monthly: float
    """USD saved a month."""

    note: str


def savings(costs: Estimate, use: CostAssumptions, *, can_stop: bool) -> list[Saving]:
    """What Spot agents, a schedule and a reservation would each save, by themselves.

    :param can_stop: the environment may be stopped at night, and is not yet.
    """
    agents = sum(group.line.monthly for group in costs.instance_groups if group.group == "agents" and not group.spot)
    nodes = sum(group.line.monthly for group in costs.instance_groups if not group.spot)
    ways = [
        Saving("Spot agents", agents * use.spot_discount / 100, f"{use.spot_discount:g} % off; AWS may take them back"),
        Saving(
            "reserve the nodes",
            nodes * use.reserved_discount / 100,
            f"{use.reserved_discount:g} % off for a commitment of one year",
        ),
    ]
    if can_stop:
        off = 1 - use.working_hours * WEEKS / use.hours
        every = sum(group.line.monthly for group in costs.instance_groups)
        ways.append(Saving("stop at night", every * max(0, off), f"nodes run {use.working_hours:g} hours a week"))
    return ways
