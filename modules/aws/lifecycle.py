"""Terraform's lifecycle rules, as this project uses them."""

from collections.abc import Sequence
from typing import Any


def lifecycle(*, protect: bool = False, ignore: Sequence[str] = (), replace_with: Sequence[str] = ()) -> dict[str, Any]:
    """Rules for one resource.

    :param protect: refuse at plan to destroy it (``prevent_destroy``).
    :param ignore: attributes whose changes Terraform leaves alone.
    :param replace_with: addresses whose replacement replaces this resource as well.
    """
    rules: dict[str, Any] = {}
    if protect:
        rules["prevent_destroy"] = True
    if ignore:
        rules["ignore_changes"] = list(ignore)
    if replace_with:
        rules["replace_triggered_by"] = list(replace_with)
    return rules
