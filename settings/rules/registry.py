"""Rules: plain functions that look at some settings and yield what they find.

A rule names the sections that it needs as its parameters (``def nat_zones_exist(network)``). It runs when all of those
are valid by themselves, so that one wrong value never hides what else is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import signature
from typing import Any, TypeVar

from settings.problems import Finding

Facts = Mapping[str, Any]
"""The valid sections of an environment by name, and ``project`` and ``names`` where those are known."""

Rule = Callable[..., Iterator[Finding]]
Comparison = Callable[[Mapping[str, Facts]], Iterator[tuple[str, Finding]]]
AnyRule = TypeVar("AnyRule", bound=Callable[..., Any])

ERRORS: list[Rule] = []
"""What must hold in an environment."""

PROJECT_ERRORS: list[Rule] = []
"""What must hold in the project's own values; their one fact is ``project``."""

COMPARISONS: list[Comparison] = []
"""What must hold between environments: the rule takes the facts of each by name, and yields which one has to change."""

WARNINGS: dict[str, Rule] = {}
"""What should hold in an environment, by the code under which a file acknowledges it."""


def error(rule: AnyRule) -> AnyRule:
    """Register a rule of an environment."""
    ERRORS.append(rule)
    return rule


def project_error(rule: AnyRule) -> AnyRule:
    """Register a rule of the project."""
    PROJECT_ERRORS.append(rule)
    return rule


def comparison(rule: AnyRule) -> AnyRule:
    """Register a rule over all environments."""
    COMPARISONS.append(rule)
    return rule


def warning(rule: AnyRule) -> AnyRule:
    """Register a warning. Its code is the function's name with dashes: ``small_servers`` is ``small-servers``."""
    WARNINGS[rule.__name__.replace("_", "-")] = rule
    return rule


def run_rules(rules: Iterable[Rule], facts: Facts) -> list[Finding]:
    """What the rules find, of those whose sections are all valid."""
    return [
        finding
        for rule in rules
        if (needs := signature(rule).parameters).keys() <= facts.keys()
        for finding in rule(**{name: facts[name] for name in needs})
    ]
