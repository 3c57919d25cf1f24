"""``python -m settings.schema`` writes the JSON Schemas by which editors complete and check ``environments/*.yaml``.

They say what a single file may hold. What must hold between values is in ``settings/rules``, and only ``settings.load``
knows it all.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from settings.environment import Environment
from settings.loader import ENVIRONMENTS
from settings.project import Project
from settings.rules import WARNINGS

FOLDER = ENVIRONMENTS / "schema"
"""Where the schemas are; each YAML file names its own in its first line."""


def project_schema() -> dict[str, Any]:
    """Schema of ``_project.yaml``."""
    return _titled(Project, "First-day values of the platform")


def environment_schema() -> dict[str, Any]:
    """Schema of an environment's own file. What the common file may hold for it is optional: an editor looks at one
    file alone."""
    return {**common_schema(), "title": "An environment of the platform", "required": ["hosts", "protect"]}


def common_schema() -> dict[str, Any]:
    """Schema of ``_common.yaml``: everything is optional, at every level; the name is the file's."""
    schema = _titled(Environment, "What the environments of the platform share")
    del schema["properties"]["name"]
    schema["properties"]["acknowledged"]["propertyNames"] = {"enum": sorted(WARNINGS)}
    for part in (schema, *schema["$defs"].values()):
        part.pop("required", None)
    return schema


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


if __name__ == "__main__":
    main()
