"""Associations of SSM's State Manager, which moto lacks, with their tags. Their commands succeed at once: no instance runs here."""

import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.ssm.responses import SimpleSystemManagerResponse

from operations.devtools.emulator.replacing import replace


def install() -> None:
    """Add the calls to moto; once, before its server starts."""
    for operation in (create_association, describe_association, update_association, delete_association):
        setattr(SimpleSystemManagerResponse, operation.__name__, operation)
    _keep_tags_of_associations()


class AssociationDoesNotExist(ServiceException):
    """SSM API reference, DescribeAssociation: errors."""

    code = "AssociationDoesNotExist"


_associations: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
"""SSM State Manager's associations by account and region, then by id."""


def _of(response: SimpleSystemManagerResponse) -> dict[str, dict[str, Any]]:
    return _associations[response.current_account, response.region]


def _wanted(response: SimpleSystemManagerResponse) -> dict[str, Any]:
    """The association that the request names.

    Raises:
        AssociationDoesNotExist: there is none of this id.
    """
    association = _of(response).get(response._get_param("AssociationId"))
    if association is None:
        raise AssociationDoesNotExist("The specified association does not exist.")
    return association


ASSOCIATION = ("Name", "AssociationName", "DocumentVersion", "Parameters", "Targets", "ScheduleExpression", "Tags")
"""Members of an association that a request sets (SSM API reference, CreateAssociation)."""


def create_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """An association whose command succeeds at once: no instance runs here. The node programs have tests of their own."""
    association = {name: value for name in ASSOCIATION if (value := self._get_param(name)) is not None}
    association |= {
        "AssociationId": str(uuid.uuid4()),
        "AssociationVersion": "1",
        "Overview": {"Status": "Success", "DetailedStatus": "Success"},
    }
    _of(self)[association["AssociationId"]] = association
    return ActionResult({"AssociationDescription": association})


def describe_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """The association by its id."""
    return ActionResult({"AssociationDescription": _wanted(self)})


def update_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """Replace what the request sets."""
    association = _wanted(self)
    association |= {name: value for name in ASSOCIATION if (value := self._get_param(name)) is not None}
    return ActionResult({"AssociationDescription": association})


def delete_association(self: SimpleSystemManagerResponse) -> ActionResult:
    """Forget it."""
    del _of(self)[_wanted(self)["AssociationId"]]
    return EmptyResult()


def _keep_tags_of_associations() -> None:
    """Let tags of associations be listed, added and removed; moto answers for its own kinds of resources."""
    responses = SimpleSystemManagerResponse
    others = {
        name: getattr(responses, name)
        for name in ("list_tags_for_resource", "add_tags_to_resource", "remove_tags_from_resource")
    }

    def keeping(name: str, change: Callable[[Any, dict[str, str]], dict[str, str]]) -> None:
        def answer(self: SimpleSystemManagerResponse) -> ActionResult:
            if self._get_param("ResourceType") != "Association":
                result: ActionResult = others[name](self)
                return result
            association = _of(self).get(self._get_param("ResourceId"), {})
            tags = change(self, {each["Key"]: each["Value"] for each in association.get("Tags", [])})
            association["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
            return ActionResult({"TagList": association["Tags"]} if name.startswith("list") else {})

        replace(responses, name, answer)

    keeping("list_tags_for_resource", lambda _, tags: tags)
    keeping(
        "add_tags_to_resource",
        lambda request, tags: {**tags, **{each["Key"]: each["Value"] for each in request._get_param("Tags")}},
    )
    keeping(
        "remove_tags_from_resource",
        lambda request, tags: {key: tags[key] for key in tags if key not in request._get_param("TagKeys")},
    )
