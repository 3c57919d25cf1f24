"""The address plan: which fixed address each server has. Plain arithmetic, without AWS."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from settings.environment import Environment

FIRST_SERVER_HOST = 10
"""Host number of the first server in its private subnet; AWS keeps the first four addresses and the last."""


@dataclass(frozen=True)
class Slot:
    """A place for one server: its number, zone and fixed private address."""

    number: int
    """0 to count - 1; server 0 is the only one that may initialise a cluster."""

    zone: str
    """Letter of its availability zone."""

    address: IPv4Address
    """Private address, known before anything is created."""


def server_slots(environment: Environment) -> list[Slot]:
    """Places of the servers, one zone after the other: slot 3 of three zones is in the first zone again."""
    zones = list(environment.network.zones.items())
    return [
        Slot(number, letter, subnets.private.network_address + FIRST_SERVER_HOST + number // len(zones))
        for number in range(environment.servers.count)
        for letter, subnets in [zones[number % len(zones)]]
    ]


def agents_by_zone(environment: Environment) -> dict[str, int]:
    """How many agents each zone starts with: as even as can be, but beginning where no server stands.

    With one server in the first zone the first agent goes to the second, so that a small environment uses both.
    """
    return _spread(environment, environment.agents.count)


def maximum_agents_by_zone(environment: Environment) -> dict[str, int]:
    """How many agents each zone may have: the maximum spread in the same order."""
    return _spread(environment, environment.agents.maximum)


def _spread(environment: Environment, total: int) -> dict[str, int]:
    letters = list(environment.network.zones)
    start = environment.servers.count % len(letters)
    order = letters[start:] + letters[:start]
    each, rest = divmod(total, len(letters))
    return {letter: each + (order.index(letter) < rest) for letter in letters}
