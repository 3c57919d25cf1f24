"""``python -m settings.schema`` writes the JSON Schemas by which editors complete and check ``environments/*.yaml``.

They say what a single file may hold. What must hold between values is in ``settings/rules``, and only ``settings.load``
knows it all.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings.costs import cost
from settings.effects import EFFECTS, PROJECT_EFFECTS, Effect, declared
from settings.environment import Environment
from settings.former_keys import FORMER_KEYS, first_name
from settings.loader import ENVIRONMENTS
from settings.model_keys import entries, section
from settings.prices import Prices, prices
from settings.project import Project
from settings.rules import WARNINGS

FOLDER = ENVIRONMENTS / "schema"
"""Where the schemas are; each YAML file names its own in its first line."""

PAGE = ENVIRONMENTS.parent / "docs/settings.md"
"""Every setting, for people."""

COMPUTED = ("name", "region", "dns_zone")
"""Keys of an environment that the loader fills in where its files leave them out."""

EFFECT = "A change: "
"""What the sentence about its effect begins with."""

SOURCE = re.compile(r" \((?=AWS[ :]|Amazon|RFC|ISO|Kubernetes|GitHub:)([^()]+)\)")
"""Where a docstring says what it is taken from."""

PAGE_BEGINNING = """# Every setting

Made by `make schema` from the types in `settings/`; the same sentences are in the editor. First an environment's settings (`environments/<env>.yaml`, over `_common.yaml`), then the project's
(`_project.yaml`). How to go about a change that is fixed or needs care: [runbooks/changing-settings.md](runbooks/changing-settings.md).

**Default**: the value where the files leave the setting out. **A change** says what it does to an environment that runs; `make plan` says it too:

- **at once**: the deploy brings it.
- **next server roll**, **agents' refresh**: the deploy leaves what runs alone; `make roll-servers` and `make roll-agents` bring it.
- **restarts the application**: its pods are replaced one by one.
- **interrupts**: what, and for how long.
- **fixed after the first deploy**: a plan that changes it is refused.

**Costs**: in USD at the list prices of {region}, {as_of} (`settings/prices.yaml`), for a month of 730 hours; a setting without an amount costs nothing. What an environment costs as a whole: `make cost`.
A source in italics is the document that a rule or a range is taken from.
"""


def project_schema() -> dict[str, Any]:
    """Schema of ``_project.yaml``."""
    schema = _titled(Project, "First-day values of the platform")
    _tell_effects(schema, Project, PROJECT_EFFECTS)
    return schema


def environment_schema() -> dict[str, Any]:
    """Schema of an environment's own file. What the common file may hold for it is optional: an editor looks at one
    file alone."""
    needed = ("hosts", "deletion_protection")
    named = [{"anyOf": [{"required": [name]} for name in dict.fromkeys((key, first_name(key)))]} for key in needed]
    return {**common_schema(), "title": "An environment of the platform", "allOf": named}


def common_schema() -> dict[str, Any]:
    """Schema of ``_common.yaml``: everything is optional, at every level; the name is the file's."""
    schema = _titled(Environment, "What the environments of the platform share")
    _tell_effects(schema, Environment, EFFECTS)
    del schema["properties"]["name"]
    schema["properties"]["acknowledged_warnings"]["propertyNames"] = {"enum": sorted(WARNINGS)}
    _take_former_keys(schema)
    for part in (schema, *schema["$defs"].values()):
        part.pop("required", None)
    return schema


def _tell_effects(schema: dict[str, Any], root: type[BaseModel], effects: Mapping[str, Effect]) -> None:
    """Say at every key what its change does to an environment that runs."""
    for model, name, effect in declared(root, effects):
        properties = schema["properties"] if model is root else schema["$defs"][model.__name__]["properties"]
        text = properties[name].get("description", "")
        if EFFECT not in text:  # a section that stands in two places has the same effects in both
            properties[name]["description"] = f"{text}\n\n{EFFECT}{effect}."


def _take_former_keys(schema: dict[str, Any]) -> None:
    """Let a file have the former names of settings, which editors strike through."""
    for former, key in FORMER_KEYS.items():
        above, _, name = key.rpartition(".")
        model = _section(Environment, above)
        properties = schema["properties"] if model is Environment else schema["$defs"][model.__name__]["properties"]
        text = f"The former name of `{name}`."
        properties[former.rpartition(".")[2]] = {
            **properties[name],
            "description": text,
            "deprecated": True,
            "deprecationMessage": text,
        }


def settings_page() -> str:
    """The page of all settings, in Markdown: meaning, source, default, what a change does, and what it costs."""
    table = prices()
    parts = [PAGE_BEGINNING.format(region=table.region, as_of=table.as_of)]
    for model, effects, title in (
        (Environment, EFFECTS, "The environment itself"),
        (Project, PROJECT_EFFECTS, "The project"),
    ):
        groups: dict[str, list[str]] = {}
        for key in effects:
            name = key.partition(".")[0]
            annotation = model.model_fields[name].annotation
            groups.setdefault(name if section(annotation) or entries(annotation) else "", []).append(key)
        for name, keys in groups.items():
            heading = f"## `{name}`\n\n{_about(model, name)}" if name else f"## {title}"
            parts.append(f"{heading}\n\n{_table(model, effects, keys, table)}")
    return "\n".join(parts)


def _about(model: type[BaseModel], name: str) -> str:
    """What a section is for: its own docstring, or that of its class."""
    field = model.model_fields[name]
    inner = section(field.annotation) or entries(field.annotation)
    return _meaning(field.description or (inner and inner.__doc__) or "")


def _table(model: type[BaseModel], effects: Mapping[str, Effect], keys: Sequence[str], table: Prices) -> str:
    costs = {key: cost(key, table) if model is Environment else "" for key in keys}
    head = ["setting", "what it is", "default", "a change", *(["costs"] if any(costs.values()) else [])]
    rows = [head, ["---"] * len(head)]
    for key in keys:
        field = _field(model, key)
        default = "computed" if key in COMPUTED else _default(field)
        former = f" Formerly `{first_name(key)}`." if model is Environment and first_name(key) != key else ""
        rows.append(
            [f"`{key}`", _meaning(field.description or "") + former, default, str(effects[key]), costs[key]][
                : len(head)
            ]
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _field(model: type[BaseModel], key: str) -> FieldInfo:
    """The field of a key such as ``network.cidr`` or ``pools.*.min_count``."""
    above, _, name = key.rpartition(".")
    return _section(model, above).model_fields[name]


def _section(model: type[BaseModel], key: str) -> type[BaseModel]:
    """The class of a section such as ``backups.volume_snapshots`` or ``pools.*``; the model itself for an empty key."""
    if not key:
        return model
    name, _, rest = key.partition(".")
    field = model.model_fields[name]
    inner = entries(field.annotation) if rest.partition(".")[0] == "*" else section(field.annotation)
    if inner is None:
        raise LookupError(f"{key}: {model.__name__}.{name} is no section")
    return _section(inner, rest.removeprefix("*").removeprefix("."))


def _meaning(text: str) -> str:
    """The first sentence of a docstring, and the sources that the docstring names, for a cell."""
    text = " ".join(text.replace("|", "\\|").replace("``", "`").split())
    sources = SOURCE.findall(text)
    first = re.split(r"(?<=[.])\s+(?=[A-Z])", SOURCE.sub("", text), maxsplit=1)[0]
    return " ".join([first, *(f"*{source}.*" for source in sources)])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value is None or value in ("", [], {}, ()):
        return ""
    text = json.dumps(value, default=str)
    return f"`{text.strip(chr(34))}`"


def schemas() -> dict[Path, str]:
    """Text of every schema by its path."""
    by_name = {"project": project_schema(), "common": common_schema(), "environment": environment_schema()}
    return {
        FOLDER / f"{name}.json": json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in by_name.items()
    }


def _titled(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(), "title": title}


def main() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in schemas().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ENVIRONMENTS.parent)}")
    PAGE.write_text(settings_page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ENVIRONMENTS.parent)}")


if __name__ == "__main__":
    main()
