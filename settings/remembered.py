"""The settings that a stack's state remembers, and which of them a plan changes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from settings.base import literal
from settings.effects import OF, OF_PROJECT, PROJECT_EFFECTS, STATE, effect, outwards, sections, unnamed
from settings.environment import Environment
from settings.former_keys import first_name, present
from settings.project import Project

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
    "backups.delete_copies",
)
"""Settings that are remembered only where something is written: an environment that adds nothing has the state that it had before they were.
Those of a service are remembered while it is on."""


def remembered(project: Project, environment: Environment, stack: str) -> dict[str, str]:
    """The settings that matter to one stack of an environment, by key and in JSON, as its state keeps them for the next plan to compare with:
    escaped, since they are texts that Terraform would evaluate. A setting that has another name now keeps its first one there: only a change of
    its value is a change.

    :param stack: ``infrastructure`` or ``helm``.
    """
    values = _flat(environment.model_dump(mode="json"))
    off = tuple(f"services.{name}." for name, service in environment.services if not service.enabled)
    own = {
        first_name(key): _text(value)
        for key, value in values
        if stack in effect(key).stacks
        and (value or not {*outwards(unnamed(key))} & {*ADDITIONS})
        and not key.startswith(off)
    }
    return own | _of_project(project, stack)


def remembered_of_account(project: Project, environments: Iterable[Environment]) -> dict[str, str]:
    """The settings that matter to ``vet-state``, which is all environments': ``dns_zone of dev`` is dev's."""
    zones = {f"dns_zone{OF}{each.name}": _text(each.dns_zone) for each in environments}
    operators = {
        f"access.operators{OF}{each.name}": _text(each.access.operators)
        for each in environments
        if each.access.operators
    }
    return zones | operators | _of_project(project, STATE)


def _of_project(project: Project, stack: str) -> dict[str, str]:
    """Keys of ``_project.yaml`` that are set."""
    values = {key: _value(project, key) for key, declared in PROJECT_EFFECTS.items() if stack in declared.stacks}
    return {f"{OF_PROJECT}{key}": _text(value) for key, value in values.items() if value not in (None, [], False)}


def _value(section: Any, key: str) -> Any:
    for part in key.split("."):
        section = getattr(section, part, None)
    return section


def _text(value: Any) -> str:
    return literal(json.dumps(value, sort_keys=True))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Keys whose value differs, in the order of the file; of a named part that came or went (``pools.reports``) its name alone.
    By their present names, whichever the state has. A state that remembers nothing of ``_project.yaml`` is of a version before it did so."""
    if not all(any(key.startswith(OF_PROJECT) for key in side) for side in (before, after)):
        before, after = ({k: v for k, v in side.items() if not k.startswith(OF_PROJECT)} for side in (before, after))
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
