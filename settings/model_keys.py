"""Keys of a settings file, out of the class that reads it: sections are followed, everything else is a leaf."""

from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel


@cache
def keys(model: type[BaseModel], path: str = "") -> tuple[str, ...]:
    """Paths of all leaves of a model: of every field that is no section."""
    paths: list[str] = []
    for name, field in model.model_fields.items():
        inner = section(field.annotation)
        paths += keys(inner, f"{path}{name}.") if inner else [f"{path}{name}"]
    return tuple(paths)


def section(annotation: Any) -> type[BaseModel] | None:
    """The section that a field is, also when it may be left out; a mapping to sections is a leaf."""
    kinds = [annotation, *(get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ())]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def entries(annotation: Any) -> type[BaseModel] | None:
    """The section that each value of a mapping is."""
    values = get_args(annotation)[1:] if get_origin(annotation) is dict else ()
    return next((kind for kind in values if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
