"""Schemas for editors: fresh, and of one mind with the files."""

from typing import Any

import pytest
import yaml

from settings.loader import ENVIRONMENTS
from settings.prices import prices
from settings.schema import FOLDER, PAGE, common_schema, environment_schema, project_schema, schemas, settings_page

FILES = sorted(ENVIRONMENTS.glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(schemas()), ids=lambda path: path.name)
def test_schemas_are_fresh(path: Any) -> None:
    assert path.exists(), "run: python -m settings.schema"
    assert path.read_text() == schemas()[path], f"{path.name} is stale; run: python -m settings.schema"
    assert set(FOLDER.iterdir()) == set(schemas()), "a schema that nothing makes any more"


def test_the_page_of_effects_is_fresh() -> None:
    assert PAGE.read_text() == settings_page(), f"{PAGE.name} is stale; run: make schema"


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_each_file_names_its_schema(file: Any) -> None:
    schema = {"_project.yaml": "project", "_common.yaml": "common"}.get(file.name, "environment")
    assert file.read_text().splitlines()[0] == f"# yaml-language-server: $schema=schema/{schema}.json"


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_each_file_fits_its_schema(file: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema to check the files as an editor does")
    schema = {"_project.yaml": project_schema, "_common.yaml": common_schema}.get(file.name, environment_schema)()
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(file.read_text()))
    assert [error.message for error in errors] == []


def test_an_environments_name_is_not_a_key_and_what_is_filled_in_is_optional() -> None:
    schema = environment_schema()
    assert "name" not in schema["properties"]
    assert "required" not in schema
    assert {"region", "dns_zone"} <= schema["properties"].keys()


def test_nothing_is_required_of_the_common_file() -> None:
    schema = common_schema()
    parts = {"the file": schema, **schema["$defs"]}
    assert [name for name, part in parts.items() if "required" in part] == []


def test_every_setting_is_described() -> None:
    for schema in (project_schema(), common_schema()):
        models = {schema["title"]: schema, **schema["$defs"]} if "$defs" in schema else {schema["title"]: schema}
        bare = [f"{name}.{key}" for name, model in models.items() for key, field in model["properties"].items()
                if len(field.get("description", "")) < 5]  # fmt: skip
        assert bare == [], "a field without a docstring"


def test_the_page_has_every_setting_with_its_meaning() -> None:
    rows = [line.split(" | ") for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100, rows
    assert not (empty := [row[0] for row in rows if len(row[1]) < 3]), f"the fields of {empty} have no docstring"
    defaults = {row[0].strip("| `"): row[2] for row in rows}
    assert (defaults["servers.count"], defaults["region"], defaults["network.flow_logs"]) == (
        "required",
        "computed",
        "`false`",
    )


def test_the_page_says_what_a_setting_costs_and_where_its_rule_is_from() -> None:
    page = settings_page()
    rows = {line.split(" | ")[0].strip("| `"): line for line in page.splitlines() if line.startswith("| `")}
    assert f"{prices().nat_gateway_gb} USD a GB" in rows["network.nat_gateways"]
    assert "*RFC 6797.*" in rows["application.hsts_seconds"]
