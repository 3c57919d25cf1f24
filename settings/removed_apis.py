"""Kinds in API versions that a minor of Kubernetes no longer serves, from ``removed_apis.yaml``."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from settings import yaml_text
from settings.base import Section
from settings.release_sets import parse

TABLE = Path(__file__).with_suffix(".yaml")


class RemovedApi(Section):
    """Kinds in one API version."""

    api: str
    """Group and version, as in ``apiVersion``."""

    kinds: Annotated[list[str], Field(min_length=1)]

    removed: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    """The first minor that does not serve them."""

    instead: str
    """What to write in its place."""

    source: str
    """Who says so."""


@cache
def table() -> tuple[RemovedApi, ...]:
    """All of them."""
    return tuple(RemovedApi.model_validate(each) for each in yaml_text.load(TABLE.read_text(encoding="utf-8")))


def removal(manifest: Mapping[str, Any], kubernetes: str) -> RemovedApi | None:
    """Why a cluster refuses this object for its API version; ``None`` where it does not.

    :param kubernetes: version or minor of the cluster, such as ``1.29`` or ``1.29.15``.
    """
    for row in table():
        if manifest.get("apiVersion") == row.api and manifest.get("kind") in row.kinds:
            return row if parse(row.removed) <= parse(kubernetes) else None
    return None


def not_served(manifests: Iterable[Mapping[str, Any]], kubernetes: str) -> Iterator[str]:
    """Of these objects, those that a cluster refuses, each with what to write instead."""
    for manifest in manifests:
        if row := removal(manifest, kubernetes):
            name = (manifest.get("metadata") or {}).get("name", "without a name")
            yield f"{manifest['kind']} {name}: {row.api} ended with Kubernetes {row.removed} ({row.source}); write {row.instead}"
