"""Take from AWS's published models what they say of each attribute: ``make aws-models`` writes ``aws_models.json``.

CloudFormation's resource schemas come with cfn-lint, and the services' own models with botocore. What is taken is small and checked in,
so that the check itself needs neither; ``make lint`` says when it is not fresh.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

HERE = Path(__file__).parent
ATTRIBUTES = HERE / "aws_attributes.yaml"
MODELS = HERE / "aws_models.json"

REGION = "us-east-1"
CLASSES = {
    r"\p{L}\p{Z}\p{N}": r"\w ",
    r"\p{L}": r"^\W\d_",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
}
"""What Java's patterns write in a way that Python's ``re`` does not know."""


NO_RULES = (("min", 0), ("max", 2**31 - 1), ("pattern", ".*"), ("pattern", r"(.*[\n\r\t\f\ ]?)*"))
"""What models write where they mean that nothing is asked for; a text of two gigabytes reaches no API."""


class UnknownProperty(Exception):
    """A line of ``aws_attributes.yaml`` names what no model has."""


def properties(schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """A property of a resource's schema by its dotted path, through references and lists."""
    at = schema
    for name in path.split("."):
        at = _inner(schema, at)
        at = at.get("properties", {}).get(name)
        if at is None:
            raise UnknownProperty(path)
    return _inner(schema, at)


def _inner(schema: Mapping[str, Any], at: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in at or at.get("type") == "array":
        if "$ref" in at:
            target: Any = schema
            for part in at["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            at = target
        else:
            at = at["items"]
    return at


def by_cloudformation(type_: str, path: str) -> dict[str, Any]:
    """What the schema of a CloudFormation resource says of a property."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, type_).schema
    rules = properties(schema, path)
    names = {
        "pattern": "pattern",
        "minLength": "min",
        "maxLength": "max",
        "minimum": "lowest",
        "maximum": "highest",
        "enum": "one_of",
    }
    return {ours: rules[theirs] for theirs, ours in names.items() if theirs in rules}


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def by_service(service: str, shape: str) -> dict[str, Any]:
    """What botocore's model of a service says of a shape: for texts the length, for numbers the range."""
    try:
        model = _service(service).shape_for(shape)
    except Exception as error:
        raise UnknownProperty(f"{service}:{shape}") from error
    text = model.type_name == "string"
    names = {"pattern": "pattern", "min": "min" if text else "lowest", "max": "max" if text else "highest"}
    rules = {ours: model.metadata[theirs] for theirs, ours in names.items() if theirs in model.metadata}
    return {**rules, **({"one_of": list(model.enum)} if text and model.enum else {})}


def in_python(pattern: str) -> str:
    """A pattern of the models in Python's syntax, for a whole value.

    A pattern without anchors is meant for the whole value in the services' models (IAM's ``[\\w+=,.@-]+`` allows no blank), so it is taken
    so; one that is anchored at its start alone says nothing of the rest.
    """
    for theirs, ours in CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    pattern = re.sub(r"\(\?i\)([^)]*)", r"(?i:\1)", pattern)
    open_ended = pattern.startswith("^") and not pattern.endswith(("$", r"\Z", "$)"))
    return f"(?s:{pattern}.*)" if open_ended else pattern


def constraints() -> Iterator[tuple[str, dict[str, Any]]]:
    """Attribute of Terraform and what its model says, for each line that names a model.

    Raises:
        UnknownProperty: a model has no such property, or says nothing of it (then it belongs into the table).
    """
    for type_, lines in yaml.safe_load(ATTRIBUTES.read_text()).items():
        model = lines.pop("model", None)
        for path, says in lines.items():
            if says == "table" or says.startswith("free, "):
                continue
            service, _, shape = says.rpartition(":")
            rules = by_service(service, shape) if service else by_cloudformation(model, says)
            rules = {rule: limit for rule, limit in rules.items() if (rule, limit) not in NO_RULES}
            if not rules:
                raise UnknownProperty(f"{type_}.{path}: the model says nothing of {says}")
            if "pattern" in rules:
                rules["pattern"] = in_python(rules["pattern"])
            source = f"botocore: {service}, {shape}" if service else f"{model}, {says}"
            yield f"{type_}.{path}", {"source": source, **rules}


def run(check: bool) -> int:
    """Write the file, or say whether it is fresh; 0 if nothing is wrong."""
    lines = [f" {json.dumps(name)}: {json.dumps(rules, sort_keys=True)}" for name, rules in sorted(constraints())]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if check and text != MODELS.read_text():
        print(f"{MODELS.name} is not what the models say: make aws-models", file=sys.stderr)
        return 1
    if not check:
        MODELS.write_text(text)
        print(f"{MODELS.name}: {len(lines)} attributes")
    return 0


if __name__ == "__main__":
    sys.exit(run("--check" in sys.argv[1:]))
