"""``make cost [ENV=dev] [ASSUME="nat_gb=500 hours=400"]``: what the platform costs a month, from the JSON that Terraform gets.

Each environment is set against the band that docs/architecture.txt gives; a total outside of it is explained by its dearest parts.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

import main
from operations.report.cost_estimate import Estimate, environment_estimate, estimate
from operations.report.savings import Saving, can_stop, savings
from operations.shared.console import terminal
from operations.shared.environments import named
from operations.shared.errors import Failure
from operations.shared.stack_json import Document
from settings import load
from settings.cost import CostAssumptions
from settings.environment import Environment
from settings.names import STATE_STACK, infrastructure_stack
from settings.prices import Prices, prices

EXPECTED_RANGES = {"dev": (200, 300), "prod": (600, 800)}
"""USD a month: docs/architecture.txt, "Cost Optimization". Other environments have no band."""


def run(names: Sequence[str], assume: Sequence[str], *, details: bool = False, as_json: bool = False) -> None:
    """Print the estimate of each environment.

    :param names: environments; none means all.
    :param assume: ``key=value`` over the environment's own assumptions.
    :param details: every charge rather than groups.
    :param as_json: print every charge as JSON instead.

    Raises:
        Failure: there is no such environment or assumption.
    """
    settings = load()
    chosen = [named(settings, name) for name in names] or list(settings.environments)
    main.build_app(settings).synth()
    if as_json:
        print(json.dumps([_record(environment, assume) for environment in chosen], indent=2))
        return
    console = terminal()
    table, together = prices(), 0.0
    for environment in chosen:
        use = assumptions(environment, assume)
        costs = _estimate(environment, use, table)
        console.rule(f"[bold]{environment.name}[/] · {costs.total:.0f} USD a month")
        console.print(_charges(costs, details=details))
        console.print(verdict(environment.name, costs))
        console.print(_ways(savings(costs, use, can_stop=can_stop(environment))))
        together += costs.total
    account = estimate(Document.read(STATE_STACK), table, CostAssumptions())
    console.print(
        f"Once per account ({STATE_STACK}): {account.total:.2f} USD. All together: {together + account.total:.0f} USD."
    )
    _footnotes(console, chosen, assume, table)


def assumptions(environment: Environment, assume: Sequence[str]) -> CostAssumptions:
    """The environment's assumptions with some replaced.

    Raises:
        Failure: no such assumption, or no such value of it.
    """
    changes: dict[str, str] = {}
    for text in assume:
        key, _, value = text.partition("=")
        if key not in CostAssumptions.model_fields:
            raise Failure(f"ASSUME: there is no {key!r}; there are {', '.join(CostAssumptions.model_fields)}")
        changes[key] = value
    try:
        return CostAssumptions.model_validate({**environment.cost.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise Failure(f"ASSUME: {first['loc'][0]}={first['input']!r}: {first['msg']}") from error


def verdict(name: str, costs: Estimate) -> str:
    """Whether the total is in the environment's band, and if not, why."""
    if name not in EXPECTED_RANGES:
        return "docs/architecture.txt gives no band for this environment"
    low, high = EXPECTED_RANGES[name]
    band = f"{low}-{high} USD a month that docs/architecture.txt expects"
    if low <= costs.total <= high:
        return f"[green]within[/] the {band}"
    dearest = ", ".join(f"{group} {amount:.0f}" for group, amount in list(costs.by_group().items())[:3])
    side = "above" if costs.total > high else "below"
    return f"[yellow]{side}[/] the {band}: the largest parts are {dearest}"


def _record(environment: Environment, assume: Sequence[str]) -> dict[str, Any]:
    """An environment's estimate for a machine; amounts are USD a month."""
    use = assumptions(environment, assume)
    costs = _estimate(environment, use, prices())
    charges = [{**asdict(line), "monthly": line.monthly} for line in costs.lines]
    return {
        "environment": environment.name,
        "total": costs.total,
        "assumptions": use.model_dump(),
        "unknown": sorted(costs.unknown),
        "charges": charges,
    }


def _estimate(environment: Environment, use: CostAssumptions, table: Prices) -> Estimate:
    return environment_estimate(environment, table, use, Document.read(infrastructure_stack(environment.name)))


def _charges(costs: Estimate, *, details: bool) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, show_footer=True)
    table.add_column("part", footer="total")
    table.add_column("quantity" if details else "charges", justify="right")
    table.add_column("USD a month", justify="right", footer=f"{costs.total:.2f}")
    table.add_column("share", justify="right")
    for group, amount in costs.by_group().items():
        lines = [line for line in costs.lines if line.group == group]
        count = "" if details else str(len(lines))
        table.add_row(f"[bold]{group}[/]", count, f"[bold]{amount:.2f}[/]", f"{amount / costs.total:.0%}")
        for line in lines if details else []:
            price = f"{line.price:.4f}".rstrip("0").rstrip(".")
            table.add_row(f"  {line.what}", f"{line.quantity:g} {line.unit} × {price}", f"{line.monthly:.2f}", "")
    return table


def _ways(ways: Sequence[Saving]) -> Table:
    table = Table("to pay less", "saves", "", box=SIMPLE, pad_edge=False)
    for way in ways:
        table.add_row(way.way, f"{way.monthly:.0f} USD", f"[dim]{way.note}[/]")
    return table


def _footnotes(console: Console, chosen: Sequence[Environment], assume: Sequence[str], table: Prices) -> None:
    shown = "; ".join(f"{key} {value:g}" for key, value in assumptions(chosen[0], assume).model_dump().items())
    console.print(f"[dim]Assumed ({chosen[0].name}): {shown}.[/]")
    console.print(
        '[dim]Change them under `cost:` in environments/*.yaml, or try one: make cost ASSUME="nat_gb=500".[/]'
    )
    console.print(
        f"[dim]List prices of {table.region} as of {table.as_of}, without taxes and discounts: settings/prices.yaml.[/]"
    )
    for environment in chosen:
        if environment.region != table.region:
            console.print(f"[yellow]{environment.name} is in {environment.region}, where prices differ.[/]")
        if unknown := estimate(Document.read(infrastructure_stack(environment.name)), table, environment.cost).unknown:
            console.print(f"[yellow]{environment.name}: no price for {', '.join(unknown)}: add them to estimate.py[/]")
