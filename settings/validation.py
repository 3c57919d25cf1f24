"""From pydantic's errors to findings that a person can act on."""

from difflib import get_close_matches
from ipaddress import IPv4Network
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from settings.problems import Finding, Key, dotted


def validate(
    model: type[BaseModel], data: dict[str, Any], *, complete: bool = True
) -> tuple[dict[str, Any], list[Finding]]:
    """The model's fields that are valid, by name, and what is wrong with the others.

    A key that is not known is reported and otherwise left out, so that the rules can still look at what stands beside it. If the data
    is not ``complete``, since a file could not be read, then a missing key is no finding.
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


def _words(error: ErrorDetails, key: Key, parent: type[BaseModel] | None, field: FieldInfo | None) -> tuple[str, str]:
    """Rule and remedy for one of pydantic's errors (docs.pydantic.dev, validation errors)."""
    limits = error.get("ctx", {})
    description = " ".join((field.description or "").split()).removesuffix(".") if field else ""
    examples = field.examples if field else None
    example = f"write it like {examples[0]}" if examples else "see what the key means, and write it so"
    match error["type"]:
        case "extra_forbidden":
            return "is not a setting", suggestion(str(key[-1]), list(parent.model_fields) if parent else [])
        case "missing":
            return f"is required: {description}", f"add {dotted(key)}" + (
                f", such as {examples[0]}" if examples else ""
            )
        case "model_type" | "dict_type":
            return f"must be a map of keys: {description}", "indent the keys below it, or remove it"
        case "list_type":
            return f"must be a list: {description}", "write [first, second]"
        case "int_type":
            return f"must be a whole number: {description}", "write digits only, without quotes or units"
        case "bool_type":
            return f"must be true or false: {description}", "write true or false, without quotes"
        case "string_type":
            return f"must be text: {description}", "put it in quotes"
        case "greater_than_equal":
            return f"must be {limits['ge']} or more: {description}", f"set {limits['ge']} or more"
        case "less_than_equal":
            return f"must be {limits['le']} or less: {description}", f"set {limits['le']} or less"
        case "too_short":
            return f"must have {limits['min_length']} entries or more: {description}", "add entries"
        case "string_too_short":
            return f"must have {limits['min_length']} characters or more: {description}", "write more"
        case "string_too_long":
            return f"must have {limits['max_length']} characters or fewer: {description}", "shorten it"
        case "literal_error":
            return f"must be {limits['expected']}: {description}", f"set {limits['expected']}"
        case "ip_v4_network":
            return "must be an IPv4 network in CIDR notation with all host bits zero", _nearest_network(error["input"])
        case "value_error":
            return str(limits["error"]), example
        case "string_pattern_mismatch":
            return f"must match {limits['pattern']}: {description}", example
    return f"{error['msg']}: {description}", example


def _nearest_network(value: object) -> str:
    try:
        return f"write {IPv4Network(str(value), strict=False)}"
    except ValueError:
        return "write it like 10.0.1.0/24"
