"""From pydantic's errors to findings that a person can act on."""

from difflib import get_close_matches
from ipaddress import IPv4Network
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from settings.problems import Finding, Key, dotted

WORDS = {
    "extra_forbidden": ("is not a setting", "{known}"),
    "missing": ("is required", "add {key}{such_as}"),
    "model_type": ("must be a map of keys", "indent its keys below it, or remove it"),
    "dict_type": ("must be a map of keys", "indent its keys below it, or remove it"),
    "list_type": ("must be a list", "write [first, second]"),
    "int_type": ("must be a whole number", "write digits only, without quotes or units"),
    "bool_type": ("must be true or false", "write true or false, without quotes"),
    "string_type": ("must be text", "put it in quotes"),
    "greater_than_equal": ("must be {ge} or more", "set {ge} or more"),
    "less_than_equal": ("must be {le} or less", "set {le} or less"),
    "too_short": ("must have {min_length} entries or more", "add entries"),
    "string_too_short": ("must have {min_length} characters or more", "write more"),
    "string_too_long": ("must have {max_length} characters or fewer", "shorten it"),
    "literal_error": ("must be {expected}", "set {expected}"),
    "ip_v4_network": ("must be an IPv4 network in CIDR notation with all host bits zero", "{network}"),
    "string_pattern_mismatch": ("must match {pattern}", "{example}"),
    "value_error": ("{error}", "{example}"),
}
"""Rule and remedy for pydantic's errors by their type (docs.pydantic.dev: validation errors)."""

SELF_EXPLAINING = ("extra_forbidden", "ip_v4_network", "value_error")
"""Errors that need no word about what the key means."""


def validate(
    model: type[BaseModel], data: dict[str, Any], *, complete: bool = True
) -> tuple[dict[str, Any], list[Finding]]:
    """The model's fields that are valid, by name, and what is wrong with the others.

    A key that is not known is reported and otherwise left out, so that the rules can still look at what stands beside
    it. If the data is not ``complete``, since a file could not be read, then a missing key is no finding.
    """
    try:
        return dict(model.model_validate(data)), []
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    broken = {error["loc"][0] for error in errors if error["loc"] not in unknown}
    known = _without(data, unknown)
    fields = {
        name: _field_value(field, known[name]) if name in known else field.get_default()
        for name, field in model.model_fields.items()
        if name not in broken
    }
    return fields, [_finding(model, error) for error in errors if complete or error["type"] != "missing"]


def suggestion(word: str, known: list[str]) -> str:
    """What was probably meant, or everything that is known."""
    near = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(known)}"


def _field_value(field: FieldInfo, value: Any) -> Any:
    return TypeAdapter(field.rebuild_annotation()).validate_python(value)


def _without(data: dict[str, Any], keys: list[tuple[int | str, ...]]) -> dict[str, Any]:
    first = {key[0] for key in keys if len(key) == 1}
    return {
        name: _without(value, [key[1:] for key in keys if key[0] == name and len(key) > 1])
        if isinstance(value, dict)
        else value
        for name, value in data.items()
        if name not in first
    }


def _finding(model: type[BaseModel], error: ErrorDetails) -> Finding:
    key: Key = tuple(part for part in error["loc"] if part != "[key]")
    parent, field = _meaning(model, key)
    rule, remedy = _words(error, key, parent, field)
    quoted = error["type"] in ("int_type", "bool_type") and isinstance(error["input"], str)
    return Finding(key, rule, remedy, value=f'"{error["input"]}"' if quoted else None)


def _meaning(model: type[BaseModel], key: Key) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that holds the key, and the field that says what the value means."""
    parent: type[BaseModel] | None = model
    inner: Any = model
    field: FieldInfo | None = None
    for part in key:
        parent = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
        if parent:
            field = parent.model_fields.get(str(part))
            inner = field.annotation if field else None
        else:
            inner = next(reversed(get_args(inner)), None)
    return parent, field


def _example(field: FieldInfo) -> str | None:
    """The field's first example, or its type's where it may also be left out (``Moment | None``)."""
    described = [meta for part in get_args(field.annotation) for meta in getattr(part, "__metadata__", ())]
    examples = [one.examples for one in (field, *described) if isinstance(one, FieldInfo) and one.examples]
    return str(examples[0][0]) if examples else None


def _words(error: ErrorDetails, key: Key, parent: type[BaseModel] | None, field: FieldInfo | None) -> tuple[str, str]:
    """Rule and remedy for one of pydantic's errors."""
    rule, remedy = WORDS.get(error["type"], (error["msg"], "{example}"))
    description = " ".join((field.description or "").split()).removesuffix(".") if field else ""
    example = _example(field) if field else None
    facts = {
        **error.get("ctx", {}),
        "key": dotted(key),
        "such_as": f", such as {example}" if example else "",
        "example": f"write it like {example}" if example else "see what the key means",
        "known": suggestion(str(key[-1]), list(parent.model_fields)) if parent else "remove it",
        "network": _nearest_network(error["input"]),
    }
    meaning = f": {description}" if description and error["type"] not in SELF_EXPLAINING else ""
    return rule.format(**facts) + meaning, remedy.format(**facts)


def _nearest_network(value: object) -> str:
    try:
        return f"write {IPv4Network(str(value), strict=False)}"
    except ValueError:
        return "write it like 10.0.1.0/24"
