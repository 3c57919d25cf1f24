"""``make synth``: Terraform JSON of every stack, and a table of what was made."""

import datetime
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

import main
from operations.shared.console import terminal
from operations.supply_chain.maintenance import notice, tools_notice
from settings import Settings, SettingsWarning
from settings.terminal import show_former_keys, show_warnings

WIDTH = 160
"""Columns of the table in a log, and of a terminal in which no path is folded."""

OUTPUT = Path("cdktf.out")
"""Where CDKTF writes, relative to the repository."""


def run() -> None:
    """Synthesise everything and show it.

    Raises:
        SettingsError: the settings are wrong.
    """
    started = time.monotonic()
    settings = main.synthesise()
    _show(settings, time.monotonic() - started)


def _show(settings: Settings, seconds: float) -> None:
    console = terminal(width=WIDTH)
    table = Table(box=SIMPLE, pad_edge=False)
    for heading in ("stack", "file", "resources", "data", "providers", "state"):
        whole = heading != "providers" and console.width >= WIDTH  # a path in two pieces cannot be copied
        numbers = heading in ("resources", "data")
        table.add_column(heading, justify="right" if numbers else "left", overflow="fold", no_wrap=whole)
    manifest = json.loads((OUTPUT / "manifest.json").read_text())
    for stack in manifest["stacks"].values():
        table.add_row(*_row(stack["name"], OUTPUT / stack["synthesizedStackPath"]))
    console.print(table)
    open_warnings = [warning for warning in settings.warnings if warning.acknowledged is None]
    if open_warnings:
        show_warnings(open_warnings, sys.stdout)
    for warning in settings.warnings:
        if warning.acknowledged is not None:
            console.print(_footnote(warning), style="dim")
    today = datetime.date.today()
    for ending in (*(notice(each, today) for each in settings.environments), tools_notice(today)):
        if ending:
            console.print(ending, style="dim")
    show_former_keys(settings.former_keys, sys.stdout)
    console.print(f"{len(manifest['stacks'])} stacks in {seconds:.1f} s")


def _row(name: str, path: Path) -> list[str]:
    document: dict[str, Any] = json.loads(path.read_text())
    providers = document["terraform"].get("required_providers", {})
    return [
        name,
        str(path),
        str(_count(document.get("resource", {}))),
        str(_count(document.get("data", {}))),
        ", ".join(f"{provider} {facts['version']}" for provider, facts in sorted(providers.items())),
        document["terraform"]["backend"]["s3"]["key"],
    ]


def _count(blocks: dict[str, dict[str, Any]]) -> int:
    return sum(len(resources) for resources in blocks.values())


def _footnote(warning: SettingsWarning) -> str:
    return f"{warning.environment}: {warning.code} is acknowledged: {warning.acknowledged}"
