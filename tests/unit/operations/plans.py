"""Terraform plans in JSON, made up."""

from collections.abc import Mapping, Sequence
from typing import Any

SERVER = {"tags": {"vet:slot": "0"}}


def plan(
    *,
    create: Sequence[str] = (),
    delete: Sequence[str] = (),
    replace: Sequence[str] = (),
    because: str = "id",
    before: Mapping[str, Any] = SERVER,
    settings: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """A plan that makes, deletes and replaces resources at these addresses.

    :param because: the attribute that forces the replacements.
    :param before: what the deleted and replaced ones are.
    :param settings: settings of the last apply and of this one, by key; ``None`` if the last apply did not remember them.
    """
    actions = {"create": create, "delete": delete, "delete create": replace}
    resources = [
        {
            "address": address,
            "type": address.split(".")[0],
            "change": {
                "actions": kinds.split(),
                "before": dict(before) if "delete" in kinds else None,
                "after": {} if "create" in kinds else None,
                **({"replace_paths": [[because]]} if kinds == "delete create" else {}),
            },
        }
        for kinds, addresses in actions.items()
        for address in addresses
    ]
    output = None
    if settings is not None:
        output = {
            "before": {key: before for key, (before, _) in settings.items()},
            "after": {key: after for key, (_, after) in settings.items()},
        }
    return {"resource_changes": resources, "output_changes": {"settings": output} if output else {}}
