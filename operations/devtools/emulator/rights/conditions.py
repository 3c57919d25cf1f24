"""Condition blocks of IAM policies, as far as the project's own and AWS's managed policies use them.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

Context = Mapping[str, str | Sequence[str]]
"""Values of a request's condition keys. A key that is missing is not in the request."""


class Unreadable(Exception):
    """A policy says something that this evaluator does not know. It never takes that for a no."""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text), re.DOTALL)


def like(value: str, pattern: str) -> bool:
    """Whether ``*`` (any text) and ``?`` (one sign) of the pattern make it the value."""
    return _pattern(pattern).fullmatch(value) is not None


def _arn_like(value: str, pattern: str) -> bool:
    """Each of an ARN's six parts is compared by itself; both kinds of ARN operators work so (same page: ARN condition operators)."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) == 6 and all(map(like, parts, patterns))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
}

NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def several(element: Any) -> list[str]:
    """What a policy gives as one text or as a list of them."""
    values = element if isinstance(element, list | tuple) else [] if element is None else [element]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every condition of a statement holds for a request.

    Raises:
        Unreadable: there is an operator that is not known here, or a policy variable.
    """
    known = {key.lower(): several(value) for key, value in context.items()}
    return all(
        _holds(operator, key, several(wanted), known.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: Sequence[str], values: Sequence[str] | None) -> bool:
    if any("${" in each for each in (key, *wanted)):
        raise Unreadable(f"a variable in {operator} {key}: {wanted}")
    if operator == "Null":
        return [str(values is None).lower()] == list(wanted)
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in NEGATED
    compare = OPERATORS.get(NEGATED.get(name, name))
    if compare is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise Unreadable(f"the condition operator {operator} of {key}")
    if not values:  # a negated comparison of a missing key holds, one of any of its values cannot
        return quantifier == "ForAllValues" or ((if_exists or negated) and quantifier != "ForAnyValue")
    matches = [any(compare(value, each) for each in wanted) is not negated for value in values]
    return all(matches) if quantifier == "ForAllValues" or (negated and not quantifier) else any(matches)
