"""What a person writes into ``helm-values`` is what Helm is given, and every amount in it is one that Kubernetes can read."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from settings import Settings
from settings.helm_values import values
from tests.template import Template

REPLACED = {"controller.config.proxy-real-ip-cidr", "storageClasses"}
"""Keys whose value in the file is only what charts are rendered with by hand; settings and AWS say the real one."""

QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
"""As Kubernetes reads amounts (kubernetes.io: resource management, Quantity)."""

UNITS: dict[str, float] = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} | {
    unit: 1024**power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"), start=1)
}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    else:
        yield path, value


def _releases(templates: Mapping[str, Template]) -> Iterator[tuple[Template, str, dict[str, Any]]]:
    """Stack, release and values of each."""
    for template in templates.values():
        for block in template.resources("helm_release").values():
            yield template, block["name"], json.loads(block["values"][0])


def test_every_line_of_the_values_files_reaches_its_release(
    templates: Mapping[str, Template], settings: Settings
) -> None:
    releases = 0
    for template, release, given in _releases(templates):
        environment = settings.environment(template.name.removeprefix("vet-").removesuffix("-helm"))
        written = values(release, environment.cluster.release_set, environment.values.get(release, {}))
        reached = dict(_leaves(given))
        for path, value in _leaves(written):
            if path in REPLACED or not path:
                continue
            assert reached.get(path) == value, (
                f"{template.name} {release}: the files say {path} = {value!r}; Helm is given {reached.get(path)!r}"
            )
        releases += 1
    assert releases >= 16, f"only {releases} releases found"


def _amounts(value: Any) -> Iterator[dict[str, dict[str, str]]]:
    """Every ``resources`` of a container, wherever it stands."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "resources" and isinstance(item, Mapping) and {"requests", "limits"} & set(item):
                yield dict(item)
            yield from _amounts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _amounts(item)


def _number(amount: str) -> float:
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", amount)
    assert match, f"{amount!r} is no amount"
    assert QUANTITY.fullmatch(amount), f"{amount!r} is no amount that Kubernetes reads"
    return float(match[1]) * UNITS[match[2]]


def test_amounts_are_read_by_kubernetes_and_what_is_requested_is_allowed(templates: Mapping[str, Template]) -> None:
    looked_at = 0
    for template in templates.values():
        blocks = [(name, given) for _, name, given in _releases({template.name: template})]
        blocks += [(path, block) for type_, path, block in template.every_resource() if type_.startswith("kubernetes_")]
        for name, block in blocks:
            for amount in _amounts(block):
                looked_at += 1
                requests, limits = amount.get("requests", {}), amount.get("limits", {})
                for kind in {*requests, *limits}:
                    least, most = requests.get(kind, "0"), limits.get(kind)
                    assert _number(least) <= (_number(most) if most else float("inf")), (
                        f"{template.name} {name}: {kind} of {least} is requested and {most} is allowed"
                    )
    assert looked_at > 20, f"only {looked_at} amounts found"
