"""YAML read and written by libyaml where PyYAML has it, several times faster than by PyYAML's own Python."""

from collections.abc import Iterator
from typing import Any

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, as its wheels are."""

Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Likewise; what nodes get is the same text from both, which a test sees to."""


def load(text: str) -> Any:
    """The one document in ``text``. Raises ``yaml.YAMLError`` if it is not YAML."""
    return yaml.load(text, Loader=Loader)


def load_all(text: str) -> Iterator[Any]:
    """The documents in ``text``. Raises ``yaml.YAMLError`` if it is not YAML."""
    return yaml.load_all(text, Loader=Loader)
