"""YAML read by libyaml where PyYAML has it, several times faster than PyYAML's own reader."""

from collections.abc import Iterator
from typing import Any

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, as its wheels are."""


def load(text: str) -> Any:
    """The one document in ``text``. Raises ``yaml.YAMLError`` if it is not YAML."""
    return yaml.load(text, Loader=Loader)


def load_all(text: str) -> Iterator[Any]:
    """The documents in ``text``. Raises ``yaml.YAMLError`` if it is not YAML."""
    return yaml.load_all(text, Loader=Loader)
