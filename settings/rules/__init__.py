"""What must hold between settings, and what should. One small function a rule; importing this package registers them
all."""

from settings.rules import (
    access,
    clocks,
    environments,
    extras,
    hosts,
    naming,
    network,
    nodes,
    pools,
    releases,
    saving,
    services,
    timeouts,
    vpc,
    warnings,
    workloads,
)
from settings.rules.registry import COMPARISONS, ERRORS, PROJECT_ERRORS, WARNINGS, Facts, run_rules

__all__ = [
    "COMPARISONS",
    "ERRORS",
    "PROJECT_ERRORS",
    "WARNINGS",
    "Facts",
    "access",
    "clocks",
    "environments",
    "extras",
    "hosts",
    "naming",
    "network",
    "nodes",
    "pools",
    "releases",
    "run_rules",
    "saving",
    "services",
    "timeouts",
    "vpc",
    "warnings",
    "workloads",
]
