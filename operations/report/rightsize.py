"""``make rightsize ENV=prod [DAYS=14]``: types, numbers and disks that would do for what was measured, with the money that they save, and what
reservations and savings plans would bring.

Nothing is changed: a proposal is a line for the environment's file. What the rules of the settings refuse or warn of is not proposed, and what was not
measured is never taken for little.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from operations.report.measurements import InCluster, Measurements, kinds, with_requests
from operations.report.sizing import (
    WORTH_PERCENT,
    Committed,
    Load,
    MachineKind,
    Option,
    commitments,
    disk,
    options,
    price,
)
from operations.shared.console import terminal
from operations.shared.environments import named
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from settings import Settings, load
from settings.environment import Environment
from settings.instance_types import INSTANCE_TYPES
from settings.loader import checked
from settings.prices import prices
from settings.problems import SettingsError

NEEDED_HOURS = 100
"""Hours of measurement below which nothing is proposed: a week has busy days and idle ones."""

MOST_DAYS = 90

SIZES = frozenset({"small-servers", "small-agents", "small-pool", "few-agents", "single-server"})
"""Warnings about machines that are too small or too few: nothing smaller is proposed where one is, even if it was acknowledged."""


@dataclass(frozen=True)
class Advice:
    """What is said of one kind of machine."""

    kind: MachineKind
    now: Option
    load: Load | None
    proposal: Option | None = None
    why: str = ""
    """Why there is no proposal, or what limits it."""

    commitments: list[Committed] = field(default_factory=list)
    """Of the machines as they would be."""

    @property
    def saves(self) -> float:
        """USD a month; negative where the machines are too small."""
        return self.now.monthly - self.proposal.monthly if self.proposal else 0.0


@dataclass(frozen=True)
class DiskAdvice:
    """What is said of the root disks of agents."""

    key: str
    now: int
    used_percent: float
    wanted: int
    saves: float
    """USD a month; negative where they are too small."""


def run(name: str, days: int, *, as_json: bool = False) -> None:
    """Read, calculate and print.

    Raises:
        Failure: no such environment, days of which CloudWatch has no hours, or AWS does not answer.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Failure(f"DAYS={days}: must be 1 to {MOST_DAYS}")
    settings = load()
    environment, cluster = named(settings, name), Cluster(name)
    measured = Measurements(cluster, days)
    inside = InCluster.ask(cluster)
    advice = [advise(settings, environment, kind, measured, inside) for kind in kinds(environment)]
    disks = list(disk_advice(environment, measured.fullest_disk()))
    if as_json:
        print(json.dumps(_record(name, days, advice, disks), indent=2))
        return
    _print(name, days, advice, disks, asked_inside=inside is not None)


def advise(
    settings: Settings, environment: Environment, kind: MachineKind, measured: Measurements, inside: InCluster | None
) -> Advice:
    """What is said of one kind of machine."""
    load_ = measured.load(kind)
    as_is = price(kind, load_ or Load(0, 0.0, 0.0), prices(), kind.instance_type, kind.count)
    stays = list(commitments(as_is, kind, prices()))
    if load_ is None or load_.hours < NEEDED_HOURS:
        hours = load_.hours if load_ else 0
        return Advice(kind, as_is, load_, None, f"measured for {hours} hours, and {NEEDED_HOURS} are needed", stays)
    load_ = with_requests(load_, kind, inside)
    doing = list(options(kind, load_, prices()))
    option = next((each for each in doing if allowed(settings, environment, kind, each)), None)
    if option is None:
        return Advice(kind, as_is, load_, None, "no known machine does for what was measured", stays)
    does = (kind.instance_type, kind.count) in {(each.instance_type, each.count) for each in doing}
    if does and option.monthly > as_is.monthly * (1 - WORTH_PERCENT / 100):
        return Advice(kind, as_is, load_, None, "fits what was measured", stays)
    why = "" if does else "too small for what was measured"
    return Advice(kind, as_is, load_, option, why, list(commitments(option, kind, prices())))


def allowed(settings: Settings, environment: Environment, kind: MachineKind, option: Option) -> bool:
    """Whether the settings take it: no rule refuses it, and no warning comes with it."""
    others = [each for each in settings.environments if each.name != environment.name]
    try:
        after = checked(settings.project, *others, changed(environment, kind, option))
    except SettingsError:
        return False
    warned = {each.code for each in after.warnings if each.environment == environment.name}
    before = {each.code for each in settings.warnings if each.environment == environment.name}
    now, then = INSTANCE_TYPES[kind.instance_type], INSTANCE_TYPES[option.instance_type]
    less = then.memory_gib < now.memory_gib or then.vcpus < now.vcpus or option.count < kind.count
    return not (warned - before) and not (less and warned & SIZES)


def changed(environment: Environment, kind: MachineKind, option: Option) -> Environment:
    """The environment with other machines of a kind."""
    if kind.key in ("servers", "agents"):
        machines = getattr(environment, kind.key)
        update: dict[str, Any] = {"instance_type": option.instance_type}
        if kind.key == "agents":
            update |= {"min_count": option.count, "max_count": max(machines.max_count, option.count)}
        else:
            update["count"] = option.count
        return environment.model_copy(update={kind.key: machines.model_copy(update=update)})
    name = kind.key.removeprefix("pools.")
    pool = environment.pools[name]
    update = {
        "instance_types": [option.instance_type],
        "min_count": option.count,
        "max_count": max(pool.max_count, option.count),
    }
    return environment.model_copy(update={"pools": {**environment.pools, name: pool.model_copy(update=update)}})


def disk_advice(environment: Environment, fullest: float | None) -> Iterator[DiskAdvice]:
    """Agents' root disks: the fullest disk of all nodes is the most that any of them has. Servers' disks never become smaller."""
    if fullest is None:
        return
    agents = environment.agents
    sizes = [("agents.root_volume_gib", agents.root_volume_gib, agents.min_count)]
    sizes += [
        (f"pools.{name}.root_volume_gib", pool.root_volume_gib, pool.min_count)
        for name, pool in environment.pools.items()
    ]
    for key, now, count in sizes:
        wanted = disk(now, fullest)
        saves = (now - wanted) * count * prices().volume_gib_month["gp3"]
        if count and ((wanted > now and fullest > 80) or saves >= 1):
            yield DiskAdvice(key, now, fullest, wanted, saves)


def _record(name: str, days: int, advice: list[Advice], disks: list[DiskAdvice]) -> dict[str, Any]:
    every = [{**asdict(each), "saves": each.saves} for each in advice]
    return {"environment": name, "days": days, "machines": every, "disks": [asdict(each) for each in disks]}


def _print(name: str, days: int, advice: list[Advice], disks: list[DiskAdvice], *, asked_inside: bool) -> None:
    console = terminal()
    console.rule(f"[bold]{name}[/] · the last {days} days")
    console.print(_machines(advice))
    for each in disks:
        text = f"{each.key}: {each.now} → {each.wanted}, the fullest disk of a node is at {each.used_percent:.0f} %"
        console.print(f"{text}: {_money(each.saves)} (make roll-agents brings it)")
    console.print(_commitments(advice))
    for line in _limits(advice, asked_inside=asked_inside):
        console.print(f"[dim]{line}[/]")
    total = sum(each.saves for each in advice) + sum(each.saves for each in disks)
    console.print(f"{name}: [bold]{_money(total)}[/], by lines for environments/{name}.yaml; nothing was changed")


def _machines(advice: list[Advice]) -> Table:
    table = Table("", "now", "CPU mean / busy", "memory", "proposal", "a month", "", box=SIMPLE, pad_edge=False)
    for each in advice:
        load_ = each.load
        cpu = f"{load_.mean:.0f} / {load_.busy:.0f} %, {load_.hours} h" if load_ else "not measured"
        memory = f"{load_.memory:.0f} %" if load_ and load_.memory is not None else "not measured"
        wanted = _machine(each.proposal) if each.proposal else "stays"
        colour = "green" if each.saves > 0 else "yellow" if each.saves < 0 else "dim"
        table.add_row(
            each.kind.key, _machine(each.now), cpu, memory, f"[{colour}]{wanted}[/]", _money(each.saves), each.why
        )
    return table


def _machine(option: Option) -> str:
    return f"{option.count} × {option.instance_type}"


def _money(saves: float) -> str:
    if abs(saves) < 0.5:
        return "-"
    return f"saves {saves:.0f} USD" if saves > 0 else f"costs {-saves:.0f} USD more"


def _commitments(advice: list[Advice]) -> Table:
    table = Table(
        "to commit", "for", "saves a month", "breaks even after", "pays if they run", box=SIMPLE, pad_edge=False
    )
    for each in advice:
        for way in each.commitments:
            machines = _machine(each.proposal or each.now)
            saves = _money(way.monthly) if way.monthly > 0 else f"[dim]{_money(way.monthly)}[/]"
            needed = f"more than {way.needed_percent:g} % of all hours"
            table.add_row(way.name, machines, saves, f"{way.breaks_even_months} months", needed)
    return table


def _limits(advice: list[Advice], *, asked_inside: bool) -> Iterator[str]:
    """What was not known, and how to have it known."""
    if any(each.load and each.load.memory is None for each in advice):
        yield "Memory is not measured, so nothing with less of it is proposed: EC2 does not know it, CloudWatch's agent writes it (CWAgent, mem_used_percent)."
    if not asked_inside:
        yield "What pods request is not known, so no node with less is proposed: open the tunnel (make kubeconfig TUNNEL=yes) and run it again."
    yield f"List prices of {prices().region} as of {prices().as_of}; commitments without upfront payment (settings/prices.yaml). Look at AWS's pages before you commit."
