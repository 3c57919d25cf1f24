"""``python -m settings.schema`` writes the JSON Schemas by which editors complete and check ``environments/*.yaml``.

They say what a single file may hold. What must hold between values is in ``settings/rules``, and only ``settings.load``
knows it all.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from settings.effects import EFFECTS, PROJECT_EFFECTS, Effect, declared
from settings.environment import Environment
from settings.loader import ENVIRONMENTS
from settings.project import Project
from settings.rules import WARNINGS

FOLDER = ENVIRONMENTS / "schema"
"""Where the schemas are; each YAML file names its own in its first line."""

PAGE = ENVIRONMENTS.parent / "docs/settings.md"
"""What the change of each setting does, for people."""

EFFECT = "A change: "
"""What the sentence about its effect begins with."""

PAGE_BEGINNING = """# What the change of a setting does

Made by `make schema` from `settings/effects.py`; the same sentences are in the editor and in `make plan`. How to go about what is fixed,
or takes care: [runbooks/changing-settings.md](runbooks/changing-settings.md).

- **at once**: the deploy brings it.
- **next server roll**, **agents' refresh**: the deploy leaves what runs alone; `make roll-servers` and `make roll-agents` bring it.
- **restarts the application**: its pods are replaced one by one.
- **interrupts**: what, and for how long.
- **fixed after the first deploy**: a plan that changes it is refused.
"""


def project_schema() -> dict[str, Any]:
    """Schema of ``_project.yaml``."""
    schema = _titled(Project, "First-day values of the platform")
    _tell_effects(schema, Project, PROJECT_EFFECTS)
    return schema


def environment_schema() -> dict[str, Any]:
    """Schema of an environment's own file. What the common file may hold for it is optional: an editor looks at one
    file alone."""
    return {**common_schema(), "title": "An environment of the platform", "required": ["hosts", "protect"]}


def common_schema() -> dict[str, Any]:
    """Schema of ``_common.yaml``: everything is optional, at every level; the name is the file's."""
    schema = _titled(Environment, "What the environments of the platform share")
    _tell_effects(schema, Environment, EFFECTS)
    del schema["properties"]["name"]
    schema["properties"]["acknowledged"]["propertyNames"] = {"enum": sorted(WARNINGS)}
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


def effects_page() -> str:
    """The page of all effects, in Markdown."""
    rows = [f"| `{key}` | {effect} |" for key, effect in [*EFFECTS.items(), *PROJECT_EFFECTS.items()]]
    return "\n".join([PAGE_BEGINNING, "| setting | its change |", "|---|---|", *rows]) + "\n"


def schemas() -> dict[Path, str]:
    """Text of every schema by its path."""
    made = {"project": project_schema(), "common": common_schema(), "environment": environment_schema()}
    return {
        FOLDER / f"{name}.json": json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in made.items()
    }


def _titled(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(), "title": title}


def main() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in schemas().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ENVIRONMENTS.parent)}")
    PAGE.write_text(effects_page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ENVIRONMENTS.parent)}")


if __name__ == "__main__":
    main()
