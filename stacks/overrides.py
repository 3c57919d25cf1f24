"""``terraform_overrides``: attributes of resources as a team wants them, laid over a stack that is done."""

from cdktf import TerraformElement
from constructs import Construct

from settings.environment import Environment
from settings.problems import Problem, SettingsError
from settings.validation import suggestion


def override(stack: Construct, kind: str, environment: Environment) -> None:
    """Lay the overrides over the resources of a stack.

    :param kind: ``infrastructure`` or ``helm``, as the setting's keys begin.

    Raises:
        SettingsError: a key names no resource of the stack.
    """
    wanted = {
        place.partition("/")[2]: attributes
        for place, attributes in environment.terraform_overrides.items()
        if place.partition("/")[0] == kind
    }
    if not wanted:
        return  # most environments: to ask each resource for its path takes a tenth of a synth
    known = {
        _path(stack, element): element for element in stack.node.find_all() if isinstance(element, TerraformElement)
    }
    missing = [place for place in wanted if place not in known]
    if missing:
        raise SettingsError([_problem(environment, f"{kind}/{place}", kind, list(known)) for place in missing])
    for place, attributes in wanted.items():
        for attribute, value in attributes.items():
            known[place].add_override(attribute, value)


def _path(stack: Construct, element: Construct) -> str:
    return element.node.path.removeprefix(f"{stack.node.path}/")


def _problem(environment: Environment, place: str, kind: str, known: list[str]) -> Problem:
    near = suggestion(place, [f"{kind}/{path}" for path in known])
    return Problem(
        f"environments/{environment.name}.yaml",
        1,
        f"terraform_overrides.{place}",
        "",
        f"must name a resource of the stack {kind}: its path is in the stack's cdk.tf.json, at //.metadata.path",
        near if near.startswith("did you mean") else "make synth without it, and look there",
    )
