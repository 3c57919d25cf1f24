"""The address plan: which fixed address each server has. Plain arithmetic, without AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from settings.environment import Environment
from settings.network import FIRST_SERVER_HOST, NetworkSettings
from settings.nodes import AgentsSettings, ServersSettings
from settings.pools import Pool


@dataclass(frozen=True)
class Machines:
    """The sections of an environment that the plan reads: rules have these, and may not have a whole environment."""

    network: NetworkSettings
    servers: ServersSettings
    agents: AgentsSettings
    pools: Mapping[str, Pool]


@dataclass(frozen=True)
class Slot:
    """A place for one server: its number, zone and fixed private address."""

    number: int
    """0 to count - 1; server 0 is the only one that may initialise a cluster."""

    zone: str
    """Letter of its availability zone."""

    address: IPv4Address
    """Private address, known before anything is created."""


def server_slots(environment: Environment | Machines) -> list[Slot]:
    """Places of the servers, one zone after the other: slot 3 of three zones is in the first zone again."""
    zones, existing = list(environment.network.availability_zones.items()), environment.network.existing
    first = existing.first_server_host if existing else FIRST_SERVER_HOST
    return [
        Slot(number, letter, subnets.private.network_address + first + number // len(zones))
        for number in range(environment.servers.count)
        for letter, subnets in [zones[number % len(zones)]]
    ]


def agents_by_zone(environment: Environment | Machines) -> dict[str, int]:
    """How many agents each zone starts with: as even as can be, but beginning where no server stands.

    With one server in the first zone the first agent goes to the second, so that a small environment uses both.
    """
    return _spread(environment, list(environment.network.availability_zones), environment.agents.min_count)


def maximum_agents_by_zone(environment: Environment | Machines) -> dict[str, int]:
    """How many agents each zone may have: the maximum spread in the same order."""
    return _spread(environment, list(environment.network.availability_zones), environment.agents.max_count)


@dataclass(frozen=True)
class Fleet:
    """Nodes of a pool that are bought in one way, by zone."""

    spot: bool
    """Whether AWS may take them back."""

    fixed: bool
    """Their number is not the autoscaler's: the on-demand base of a Spot pool."""

    minimum: dict[str, int]
    """How many each zone starts with, and the fewest."""

    maximum: dict[str, int]
    """How many each zone may have."""

    @property
    def name_end(self) -> list[str]:
        """What the names of its launch template and groups end with. A pool that changes its kind has both kinds for a while, and AWS takes
        each name once."""
        return ["base"] if self.fixed else ["spot"] if self.spot else []


def fleets(environment: Environment | Machines, pool: Pool) -> list[Fleet]:
    """A pool's nodes: all in one fleet, or, where a Spot pool has an on-demand base, that base in a second one."""
    letters, base = pool.availability_zones or list(environment.network.availability_zones), pool.on_demand_base
    spread = {
        total: _spread(environment, letters, total) for total in (pool.min_count - base, pool.max_count - base, base)
    }
    groups = [Fleet(pool.spot, False, spread[pool.min_count - base], spread[pool.max_count - base])]
    return groups + ([Fleet(False, True, spread[base], spread[base])] if base else [])


def maximum_nodes_by_zone(environment: Environment | Machines) -> dict[str, int]:
    """How many agents each zone may have, those of all pools among them."""
    totals = maximum_agents_by_zone(environment)
    for pool in environment.pools.values():
        for fleet in fleets(environment, pool):
            for letter, maximum in fleet.maximum.items():
                totals[letter] += maximum
    return totals


def _spread(environment: Environment | Machines, letters: Sequence[str], total: int) -> dict[str, int]:
    start = environment.servers.count % len(letters)
    order = [*letters[start:], *letters[:start]]
    each, rest = divmod(total, len(letters))
    return {letter: each + (order.index(letter) < rest) for letter in letters}
