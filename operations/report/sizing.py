"""Which machines would do for what was measured, and what they would cost: plain arithmetic over what ``make rightsize`` has read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from settings.instance_types import BASELINE_PERCENT, INSTANCE_TYPES, Machine
from settings.prices import Commitment, Prices

BUSY_PERCENT = 60
"""CPU that a machine may have in its busiest hours: the rest is for the minutes that an hour's mean hides, and for a zone that is lost."""

FULL_PERCENT = 75
"""Memory that may be used: beyond it, the kubelet's evictions are near."""

WORTH_PERCENT = 5
"""A change that saves less is not proposed."""

SYSTEM_MIB = 100
"""What the kubelet keeps for evictions; of the rest the kernel takes a twentieth."""


@dataclass(frozen=True)
class Requests:
    """What pods request of the nodes of one kind."""

    once: tuple[int, int]
    """mCPU and MiB of all pods that are no daemon's."""

    each: tuple[int, int]
    """Of the daemons on one node."""

    largest: tuple[int, int]
    """Of the largest pod, by each of both."""


@dataclass(frozen=True)
class Load:
    """What machines of one kind did over a period. What could not be read is ``None``."""

    hours: int
    """Hours with a measurement."""

    mean: float
    """Percent of a machine's CPU, the mean of these hours."""

    busy: float
    """The same in the busiest of twenty hours (95th percentile)."""

    memory: float | None = None
    """Percent of a machine's memory, 95th percentile of the hours."""

    requests: Requests | None = None


@dataclass(frozen=True)
class MachineKind:
    """Machines of one kind, as the settings have them."""

    key: str
    """Where they stand in the settings: ``servers``, ``agents``, ``pools.reports``."""

    instance_type: str
    count: int
    spot: bool = False
    count_is_free: bool = False
    """Whether another number may be proposed: not of servers, and not where the autoscaler decides."""

    hours: float = 730
    """Hours a month for which they run."""


@dataclass(frozen=True)
class Option:
    """A type, and how many machines."""

    instance_type: str
    count: int
    monthly: float
    """USD a month, with what burstable machines are charged above their baseline."""


def price(kind: MachineKind, load: Load, prices: Prices, instance_type: str, count: int) -> Option:
    """What these machines would cost for the measured work.

    Raises:
        KeyError: the type has no price.
    """
    machine, family = INSTANCE_TYPES[instance_type], instance_type.partition(".")[0]
    used = load.mean / 100 * INSTANCE_TYPES[kind.instance_type].vcpus * kind.count / count
    above = max(0.0, used - BASELINE_PERCENT.get(instance_type, 100) / 100 * machine.vcpus)
    hour = prices.instance_hour(instance_type) + above * prices.surplus_vcpu_hour.get(family, 0.0)
    return Option(instance_type, count, hour * count * kind.hours)


def options(kind: MachineKind, load: Load, prices: Prices) -> Iterator[Option]:
    """Every type and number that does for the measured work, cheapest first.

    Without a measurement of memory none has less of it, and without the pods' requests none has less of anything on a node, or fewer nodes.
    """
    now = INSTANCE_TYPES[kind.instance_type]
    counts = range(1, kind.count + 3) if kind.count_is_free else [kind.count]
    choices = [
        price(kind, load, prices, name, count)
        for name, machine in INSTANCE_TYPES.items()
        if machine.architecture == now.architecture and name.partition(".")[0] in prices.instance_hour_of_large
        for count in counts
        if _does(kind, load, machine, count)
    ]
    yield from sorted(choices, key=lambda each: (each.monthly, each.count))


def _does(kind: MachineKind, load: Load, machine: Machine, count: int) -> bool:
    now = INSTANCE_TYPES[kind.instance_type]
    share = kind.count / count
    if load.busy / 100 * now.vcpus * share > BUSY_PERCENT / 100 * machine.vcpus:
        return False
    if load.memory is None:
        if machine.memory_gib < now.memory_gib or count < kind.count:
            return False
    elif load.memory / 100 * now.memory_gib * share > FULL_PERCENT / 100 * machine.memory_gib:
        return False
    if load.requests is None:
        return machine.vcpus >= now.vcpus and machine.memory_gib >= now.memory_gib and count >= kind.count
    return _holds(load.requests, machine, count)


def _holds(requests: Requests, machine: Machine, count: int) -> bool:
    """Whether the pods' requests find room, the largest pod on one node among them."""
    room = (machine.vcpus * 1000, int(machine.memory_gib * 1024 * 0.95) - SYSTEM_MIB)
    each = [room[part] - requests.each[part] for part in (0, 1)]
    return all(each[part] >= requests.largest[part] and each[part] * count >= requests.once[part] for part in (0, 1))


@dataclass(frozen=True)
class Committed:
    """What a commitment for machines that stay would bring."""

    name: str
    monthly: float
    """USD that it saves a month; negative where it costs more."""

    breaks_even_months: int
    """After so many months of running it has cost less than paying by the hour would have."""

    needed_percent: float
    """Of all hours the machines must run for it to pay."""


def commitments(option: Option, kind: MachineKind, prices: Prices) -> Iterator[Committed]:
    """Each way to commit, for machines that are bought on demand: the commitment is paid in every hour, whether they run or not."""
    if kind.spot:
        return
    by_hour = prices.instance_hour(option.instance_type) * option.count
    for each in prices.commitments:
        saved = by_hour * kind.hours - by_hour * (1 - each.percent / 100) * 730
        months = ceil(12 * each.years * (1 - each.percent / 100) * 730 / kind.hours)
        yield Committed(_named(each), saved, months, 100 - each.percent)


def _named(commitment: Commitment) -> str:
    return f"{commitment.name}, {commitment.years} year{'s' if commitment.years > 1 else ''}"


def disk(gib: int, used_percent: float) -> int:
    """GiB that a disk of which so much is used at most should have: two thirds full, in steps of ten."""
    return max(20, ceil(gib * used_percent / 100 * 1.5 / 10) * 10)


def requested(pods: list[Mapping[str, object]]) -> Requests:
    """The sum of pods' requests.

    :param pods: each with ``cpu`` (mCPU), ``memory`` (MiB), ``daemon`` (whether it is a daemon's) and ``node``.
    """
    daemons: dict[object, list[int]] = {}
    once, largest = [0, 0], [0, 0]
    for pod in pods:
        amounts = [int(str(pod["cpu"])), int(str(pod["memory"]))]
        if pod["daemon"]:
            sums = daemons.setdefault(pod["node"], [0, 0])
            sums[:] = [sums[part] + amounts[part] for part in (0, 1)]
        else:
            once = [once[part] + amounts[part] for part in (0, 1)]
            largest = [max(largest[part], amounts[part]) for part in (0, 1)]
    each = [max((sums[part] for sums in daemons.values()), default=0) for part in (0, 1)]
    return Requests((once[0], once[1]), (each[0], each[1]), (largest[0], largest[1]))
