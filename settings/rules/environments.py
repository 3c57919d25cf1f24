"""Rules between environments: what one has, no other may have."""

from collections.abc import Iterator, Mapping
from itertools import permutations

from settings.problems import Finding
from settings.rules.registry import Facts, comparison


@comparison
def hosts_unique(environments: Mapping[str, Facts]) -> Iterator[tuple[str, Finding]]:
    """A host's record points at one load balancer."""
    owners: dict[str, str] = {}
    for name, facts in environments.items():
        for key, host in facts["hosts"].named if "hosts" in facts else ():
            owner = owners.setdefault(host, name)
            if owner != name:
                rule = f"must be unique: the environment {owner} has this host too"
                yield name, Finding(("hosts", key), rule, f"choose another, such as {key}.{name}.{{domain}}")


@comparison
def names_not_nested(environments: Mapping[str, Facts]) -> Iterator[tuple[str, Finding]]:
    """No environment's name begins with another's and a dash.

    Names of buckets, roles and stacks start with the environment's: rights to ``vet-prod-*`` would reach into an
    environment ``prod-eu``, and its names could be names of ``prod``.
    """
    for shorter, longer in permutations(environments, 2):
        if longer.startswith(f"{shorter}-"):
            rule = f"must not begin with {shorter}-: rights to names of {shorter}, which begin so, would reach into it"
            reversed_name = "-".join((*longer.removeprefix(f"{shorter}-").split("-"), shorter))
            yield longer, Finding(("name",), rule, f"rename the file, such as {reversed_name}.yaml")
