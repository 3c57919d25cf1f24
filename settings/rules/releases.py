"""Rules about versions: whether what is installed fits together."""

from collections.abc import Iterator, Mapping

from settings.cluster import ClusterSettings
from settings.extras import Manifest
from settings.nodes import AgentsSettings
from settings.optional_parts import installed
from settings.patches import Patches
from settings.pools import Pool
from settings.problems import Finding
from settings.release_sets import UnknownReleaseError, check, find
from settings.removed_apis import removal
from settings.rules.registry import error
from settings.services import Services


@error
def releases_known(cluster: ClusterSettings) -> Iterator[Finding]:
    """Only what the catalogue knows can be checked (``settings/releases/catalogue.yaml``)."""
    for component, version in cluster.versions.items():
        try:
            find(component, version)
        except UnknownReleaseError as unknown:
            yield Finding(
                ("cluster", "versions", component),
                "must be a component and version of settings/releases/catalogue.yaml",
                str(unknown),
            )


@error
def releases_fit(
    cluster: ClusterSettings,
    agents: AgentsSettings,
    pools: Mapping[str, Pool],
    patches: Patches | None,
    services: Services,
) -> Iterator[Finding]:
    """Releases that are installed accept each other (sources in ``settings/releases/catalogue.yaml``)."""
    try:
        misfits = check(installed(cluster, agents=agents, pools=pools, patches=patches, services=services))
    except UnknownReleaseError:
        return  # releases_known tells
    key = ("cluster", "versions") if cluster.versions else ("cluster", "release_set")
    for misfit in misfits:
        rule = f"{misfit.subject} does not fit {misfit.other}: it needs {misfit.rule} ({misfit.source})"
        yield Finding(key, rule, " or ".join(misfit.resolutions) or "add a release that fits to the catalogue")


@error
def manifests_are_served(cluster: ClusterSettings, extra_manifests: Mapping[str, list[Manifest]]) -> Iterator[Finding]:
    """A cluster refuses an object in an API version that its minor has no longer (``settings/removed_apis.yaml``)."""
    try:
        kubernetes = cluster.releases.kubernetes
    except UnknownReleaseError:
        return  # releases_known tells
    for name, objects in extra_manifests.items():
        for number, each in enumerate(objects):
            if row := removal(each, kubernetes):
                rule = f"must be in a version that Kubernetes {kubernetes} serves: {row.api} ended with {row.removed} ({row.source})"
                yield Finding(("extra_manifests", name, number, "apiVersion"), rule, f"write {row.instead}")
