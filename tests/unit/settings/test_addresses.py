"""Address plans, whatever the numbers: what the rules accept is valid, and what is invalid they refuse."""

from collections import Counter
from ipaddress import IPv4Network
from itertools import combinations

from hypothesis import assume, given
from hypothesis import strategies as st

from settings.addresses import agents_by_zone, maximum_agents_by_zone, server_slots
from settings.environment import Environment
from settings.network import NetworkSettings, ZoneSubnets
from settings.nodes import AgentsSettings, ServersSettings
from settings.rules.network import subnet_sizes, subnets_disjoint, subnets_inside_vpc, vpc_size
from settings.rules.registry import run_rules

PLAN_RULES = (vpc_size, subnet_sizes, subnets_inside_vpc, subnets_disjoint)
LETTERS = "abcdef"


@st.composite
def networks(draw: st.DrawFn, low: int = 14, high: int = 30) -> IPv4Network:
    """Networks near each other, so that they often touch, contain or miss one another."""
    prefix = draw(st.integers(low, high))
    address = draw(st.integers(0, 2**18 - 1)) + (10 << 24)
    return IPv4Network((address >> (32 - prefix) << (32 - prefix), prefix))


@st.composite
def plans(draw: st.DrawFn) -> NetworkSettings:
    """A VPC with two to four zones: subnets anywhere, or cut out of the VPC one after the other."""
    cidr = draw(networks(14, 22))
    count = 2 * draw(st.integers(2, 4))
    cut = list(cidr.subnets(new_prefix=draw(st.integers(max(cidr.prefixlen + 3, 20), 28))))
    mostly = st.one_of(st.sampled_from(cut[:count]), st.sampled_from(cut[:count]), networks())
    chosen = draw(st.one_of(st.permutations(cut[:count]), st.lists(mostly, min_size=count, max_size=count)))
    pairs = zip(LETTERS, zip(chosen[::2], chosen[1::2], strict=True), strict=False)
    zones = {letter: ZoneSubnets(public=public, private=private) for letter, (public, private) in pairs}
    return NetworkSettings(cidr=cidr, availability_zones=zones, nat_gateways=["a"])


@given(plans())
def test_a_plan_is_accepted_exactly_when_it_is_valid(network: NetworkSettings) -> None:
    subnets = [cidr for zone in network.availability_zones.values() for cidr in (zone.public, zone.private)]
    first, last = int(network.cidr.network_address), int(network.cidr.broadcast_address)
    inside = all(first <= int(cidr.network_address) and int(cidr.broadcast_address) <= last for cidr in subnets)
    disjoint = all(
        int(one.broadcast_address) < int(other.network_address)
        for one, other in combinations(sorted(subnets, key=lambda cidr: (cidr.network_address, cidr.prefixlen)), 2)
    )
    sizes = 16 <= network.cidr.prefixlen <= 28 and all(
        16 <= zone.public.prefixlen <= 27 and 16 <= zone.private.prefixlen <= 28
        for zone in network.availability_zones.values()
    )
    refused = run_rules(PLAN_RULES, {"network": network})
    assert (not refused) == (inside and disjoint and sizes), refused


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    """Any number of zones, servers and agents that the models accept."""
    count = draw(st.integers(2, 6))
    vpc = IPv4Network("10.0.0.0/16")
    subnets = list(vpc.subnets(new_prefix=24))
    zones = {
        letter: ZoneSubnets(public=subnets[number], private=subnets[10 + number])
        for number, letter in enumerate(LETTERS[:count])
    }
    agents = draw(st.integers(0, 300))
    return Environment.model_construct(
        network=NetworkSettings(cidr=vpc, availability_zones=zones, nat_gateways=["a"]),
        servers=ServersSettings(count=draw(st.integers(1, 7)), instance_type="t3.large", dedicated=True),
        agents=AgentsSettings(min_count=agents, max_count=draw(st.integers(agents, 300)), instance_type="t3.large"),
    )


@given(environments())
def test_every_server_has_an_address_of_its_own_in_its_zones_private_subnet(environment: Environment) -> None:
    slots = server_slots(environment)
    assert [slot.number for slot in slots] == list(range(environment.servers.count))
    assert len({slot.address for slot in slots}) == len(slots), slots
    for slot in slots:
        subnet = environment.network.availability_zones[slot.zone].private
        hosts = list(subnet.hosts())
        assert slot.address in hosts[3:], f"{slot} is outside {subnet} or among the four addresses that AWS keeps"


@given(environments())
def test_servers_are_spread_evenly(environment: Environment) -> None:
    per_zone = Counter(slot.zone for slot in server_slots(environment))
    counts = [per_zone[letter] for letter in environment.network.availability_zones]
    assert max(counts) - min(counts) <= 1, per_zone


@given(environments(), st.integers(1, 7))
def test_a_server_keeps_its_address_when_others_are_added(environment: Environment, more: int) -> None:
    assume(more > environment.servers.count)
    larger = environment.model_copy(update={"servers": environment.servers.model_copy(update={"count": more})})
    assert server_slots(larger)[: environment.servers.count] == server_slots(environment)


@given(environments())
def test_agents_are_spread_evenly_and_never_above_their_zones_maximum(environment: Environment) -> None:
    count, maximum = agents_by_zone(environment), maximum_agents_by_zone(environment)
    assert list(count) == list(maximum) == list(environment.network.availability_zones)
    assert sum(count.values()) == environment.agents.min_count
    assert sum(maximum.values()) == environment.agents.max_count
    for spread in (count, maximum):
        assert max(spread.values()) - min(spread.values()) <= 1, spread
    assert all(maximum[letter] >= count[letter] for letter in count), (count, maximum)


def test_the_first_agent_stands_where_no_server_does() -> None:
    zones = {
        letter: ZoneSubnets(public=IPv4Network(f"10.0.{n}.0/24"), private=IPv4Network(f"10.0.1{n}.0/24"))
        for n, letter in enumerate("ab")
    }
    environment = Environment.model_construct(
        network=NetworkSettings(cidr=IPv4Network("10.0.0.0/16"), availability_zones=zones, nat_gateways=["a"]),
        servers=ServersSettings(count=1, instance_type="t3.medium", dedicated=False),
        agents=AgentsSettings(min_count=1, max_count=1, instance_type="t3.medium"),
    )
    assert [slot.zone for slot in server_slots(environment)] == ["a"]
    assert agents_by_zone(environment) == {"a": 0, "b": 1}
