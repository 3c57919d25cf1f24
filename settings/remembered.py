"""The settings that a stack's state remembers, and which of them a plan changes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from settings.base import literal
from settings.effects import effect, outwards, sections, unnamed
from settings.environment import Environment
from settings.former_keys import first_name, present

ADDITIONS = (
    "network.private_only",
    "network.endpoints",
    "network.existing",
    "pools.*.extra_volumes",
    "patches",
    "values",
    "extra_releases",
    "extra_manifests",
    "rke2_config",
    "registries",
    "proxy",
    "extra_user_data",
    "terraform_overrides",
    "dashboard",
    "hosts.grafana",
)
"""Settings that are remembered only where something is written: an environment that adds nothing has the state that it had before they were.
Those of a service are remembered while it is on."""


def remembered(environment: Environment, stack: str) -> dict[str, str]:
    """The settings that matter to one stack, by key and in JSON, as its state keeps them for the next plan to compare with:
    escaped, since they are texts that Terraform would evaluate. A setting that has another name now keeps its first one there: only a change of
    its value is a change.

    :param stack: ``infrastructure`` or ``helm``.
    """
    values = _flat(environment.model_dump(mode="json"))
    off = tuple(f"services.{name}." for name, service in environment.services if not service.enabled)
    return {
        first_name(key): literal(json.dumps(value, sort_keys=True))
        for key, value in values
        if stack in effect(key).stacks
        and (value or not {*outwards(unnamed(key))} & {*ADDITIONS})
        and not key.startswith(off)
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Keys whose value differs, in the order of the file; of a named part that came or went (``pools.reports``) its name alone.
    By their present names, whichever the state has."""
    before, after = ({present(key): value for key, value in side.items()} for side in (before, after))
    keys = [*after, *(key for key in before if key not in after)]
    here, there = ({_named(key) for key in side} for side in (before, after))
    whole = here ^ there
    names = [_named(key) if _named(key) in whole else key for key in keys if before.get(key) != after.get(key)]
    return list(dict.fromkeys(names))


def _named(key: str) -> str:
    """The part that a file names: ``pools.reports`` of ``pools.reports.min_count``; any other key is by itself."""
    return ".".join(key.split(".")[:2]) if unnamed(key) != key else key


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        key = f"{path}{name}"
        inside = key == "cost" or unnamed(key) in sections()
        if isinstance(value, Mapping) and inside:
            yield from _flat(value, f"{key}.")
        else:
            yield key, value
