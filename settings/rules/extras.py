"""Rules about what a team adds or has otherwise: it must be known to whom it is for, and break nothing that the platform promises."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from settings import helm_values
from settings.cluster import ClusterSettings
from settings.extras import ExtraRelease, Manifest, Overrides, Registries, Rke2Config
from settings.network import NetworkSettings, endpoint_host
from settings.problems import Finding, Key
from settings.protected import ARGUMENTS, ATTRIBUTES, RKE2_KEYS, RKE2_PREFIXES, VALUES, leaves, protected
from settings.release_sets import ReleaseSet, UnknownReleaseError
from settings.rke2_config_keys import Role, known_keys
from settings.rules.registry import error, warning
from settings.rules.workloads import PLATFORM_NAMESPACES, PLATFORM_PREFIXES
from settings.validation import suggestion
from settings.workloads import Application

LOCAL = ("database",)
"""Charts of the project's own that take values."""

SECRET = re.compile(r"(password|passwd|token|api_?key|access_?key|private_?key|client_?secret)$", re.IGNORECASE)
"""How keys end whose text is a secret."""

LONGEST_CONFIG = 1_000
"""Characters of RKE2's keys, mirrors and the proxy together: EC2 takes 16 KiB of user data (docs.aws.amazon.com, EC2 user data), and so much
of it the platform leaves. Scripts are not in it."""

ATTRIBUTE = re.compile(r"^[a-z_][a-z0-9_]*(\.[A-Za-z0-9_:-]+)*$")
CONSTRUCT = re.compile(r"^(infrastructure|helm)/\S+$")


@error
def values_for_releases(values: Mapping[str, Mapping[str, Any]], cluster: ClusterSettings) -> Iterator[Finding]:
    """Values are for a release that there is."""
    releases = _releases(cluster)
    known = [*_charts(releases), *LOCAL] if releases else list(values)
    for release in values:
        if release not in known and release not in VALUES:
            yield Finding(("values", release), "must name a release of this environment", suggestion(release, known))


@error
def values_known_to_charts(values: Mapping[str, Mapping[str, Any]], cluster: ClusterSettings) -> Iterator[Finding]:
    """Helm ignores a key that its chart does not know."""
    releases = _releases(cluster)
    for name, overrides in values.items():
        if releases is None or name not in _charts(releases):
            continue
        known = helm_values.known_keys(releases[name])
        for path in leaves(overrides):
            if helm_values.unknown_keys(releases[name], _nested(path)):
                rule = f"must be a key of the chart {releases[name].chart.name} {releases[name].version}, which ignores others"
                yield Finding(
                    ("values", name, *path), rule, _near(path, sorted(key.removesuffix(".*") for key in known))
                )


@error
def values_keep_promises(values: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """What security or wiring stands on stays as it is (``settings/protected.py``)."""
    for name, overrides in values.items():
        for path in leaves(overrides) if overrides else [()]:
            protection = protected(VALUES.get(name, {}), ".".join(path))
            if protection:
                key, reason = protection
                yield Finding(
                    ("values", name, *path),
                    f"must stay as the platform has it: {reason}",
                    f"remove it (protected: {key or name})",
                )


@error
def extra_namespaces_own(extra_releases: Mapping[str, ExtraRelease], application: Application) -> Iterator[Finding]:
    """The platform's namespaces have rules of their own, which a guest would have to break."""
    for name, release in extra_releases.items():
        namespace = release.namespace
        if namespace in (*PLATFORM_NAMESPACES, application.namespace) or namespace.startswith(PLATFORM_PREFIXES):
            yield Finding(
                ("extra_releases", name, "namespace"),
                "must not be a namespace of the platform",
                f"choose another, such as {name}",
            )


@error
def extra_namespaces_agree(extra_releases: Mapping[str, ExtraRelease]) -> Iterator[Finding]:
    """A namespace has one pod security level, and one answer to who reaches it."""
    first: dict[str, str] = {}
    for name, release in extra_releases.items():
        other = first.setdefault(release.namespace, name)
        for key in ("pod_security", "reached_by"):
            wanted = getattr(extra_releases[other], key)
            if getattr(release, key) != wanted:
                rule = f"must be {wanted}, as of extra_releases.{other}, which is in the same namespace {release.namespace}"
                yield Finding(("extra_releases", name, key), rule, f"write {wanted}, or another namespace")


@error
def digests_are_compared(extra_releases: Mapping[str, ExtraRelease]) -> Iterator[Finding]:
    """``make charts`` reads the index of a chart repository, which an OCI registry has not."""
    for name, release in extra_releases.items():
        if release.digest and release.repository.startswith("oci://"):
            rule = "must be left out for a registry: nothing would compare it (docs/decisions/0073-charts-by-digest.md)"
            yield Finding(
                ("extra_releases", name, "digest"), rule, "remove it, or take the chart from a chart repository"
            )


@error
def manifests_are_objects(extra_manifests: Mapping[str, list[Manifest]]) -> Iterator[Finding]:
    """A Kubernetes object has apiVersion, kind and a name; a Secret's contents would stand in the state and in the repository."""
    for name, objects in extra_manifests.items():
        for number, each in enumerate(objects):
            key: Key = ("extra_manifests", name, number)
            metadata = each.get("metadata")
            parts = {**each, "metadata.name": metadata.get("name") if isinstance(metadata, Mapping) else None}
            missing = [part for part in ("apiVersion", "kind", "metadata.name") if not isinstance(parts.get(part), str)]
            if missing:
                yield Finding(
                    key, f"must be a Kubernetes object: it has no {', '.join(missing)}", "write it as for kubectl apply"
                )
            elif each["kind"] == "Secret" and each["apiVersion"] == "v1":
                rule = "must not be a Secret: its contents would stand in the repository and in the state"
                yield Finding((*key, "kind"), rule, "make it in the cluster: docs/extending.md, Secrets")
            elif each["kind"].endswith("List"):
                yield Finding(
                    (*key, "kind"), "must be one object, not a list of them", "write its items as entries of their own"
                )


@error
def rke2_keys_known(rke2_config: Rke2Config, cluster: ClusterSettings) -> Iterator[Finding]:
    """RKE2 logs a warning about a key that it does not know, and goes on without it."""
    releases = _releases(cluster)
    if releases is None:
        return
    version = releases.rke2
    for kind, role, configuration in _rke2(rke2_config):
        known = known_keys(version, role)
        for key in configuration.keys() - known:
            rule = f"must be a key that RKE2 {version} knows on {kind}, or it does nothing"
            near = get_close_matches(key, sorted(known), n=3)
            remedy = (
                f"did you mean {' or '.join(near)}?" if near else f"docs.rke2.io/reference/{role}_config lists them"
            )
            yield Finding(("rke2_config", kind, key), rule, remedy)


@error
def rke2_keys_free(rke2_config: Rke2Config) -> Iterator[Finding]:
    """What the platform writes itself, or stands on, stays (``settings/protected.py``)."""
    for kind, _, configuration in _rke2(rke2_config):
        for key, value in configuration.items():
            reasons = [why for start, why in RKE2_PREFIXES.items() if key.startswith(start)]
            reason = RKE2_KEYS.get(key) or next(iter(reasons), None)
            if reason:
                yield Finding(("rke2_config", kind, key), f"must stay as the platform has it: {reason}", "remove it")
            for number, argument in enumerate(value if isinstance(value, list) else []):
                for start, why in ARGUMENTS.get(key, {}).items():
                    if argument.lstrip("-").startswith(start):
                        rule = f"must not hold {start}: {why}"
                        yield Finding(("rke2_config", kind, key, number), rule, "remove it")


@error
def rke2_lists_are_lists(rke2_config: Rke2Config) -> Iterator[Finding]:
    """RKE2 reads these as lists, and the platform's own entries stay before the team's."""
    for kind, _, configuration in _rke2(rke2_config):
        for key, value in configuration.items():
            repeated = key.endswith("-arg") or key in ("disable", "node-label", "node-taint", "tls-san")
            if repeated and not isinstance(value, list):
                yield Finding(("rke2_config", kind, key), "must be a list", f"write [{value}]")


@error
def rewrites_are_expressions(registries: Registries) -> Iterator[Finding]:
    """containerd compiles them; what does not compile stops it, and with it the node."""
    for name, mirror in registries.mirrors.items():
        for expression in mirror.rewrite:
            try:
                re.compile(expression)
            except re.error as wrong:
                key = ("registries", "mirrors", name, "rewrite", expression)
                yield Finding(key, f"must be a regular expression: {wrong}", 'write such as "^rancher/(.*)"')


@error
def configuration_fits_user_data(
    rke2_config: Rke2Config, registries: Registries, proxy: Any, network: NetworkSettings, region: str
) -> Iterator[Finding]:
    """EC2 takes 16 KiB of user data."""
    mirrors = len(registries.model_dump_json())
    inside = sum(len(endpoint_host(each, region)) + 1 for each in network.endpoints)  # reached without the proxy
    through = len(proxy.model_dump_json()) + inside if proxy else 0
    for kind, _, configuration in _rke2(rke2_config):
        length = len(str(configuration)) + mirrors + through
        if length > LONGEST_CONFIG:
            rule = f"must leave user data below EC2's 16 KiB: with registries and proxy it is {length} characters of {LONGEST_CONFIG}"
            yield Finding(
                ("rke2_config", kind), rule, "write files from a script of extra_user_data, which is not in user data"
            )


@error
def overrides_name_attributes(terraform_overrides: Mapping[str, Overrides]) -> Iterator[Finding]:
    """A construct of a stack, and attributes of its resource by their path."""
    for place, attributes in terraform_overrides.items():
        if not CONSTRUCT.match(place):
            rule = "must be a stack and a construct's path in it"
            yield Finding(("terraform_overrides", place), rule, "write it like infrastructure/servers/slot_0/Resource")
        for attribute in attributes:
            key = ("terraform_overrides", place, attribute)
            if not ATTRIBUTE.match(attribute):
                yield Finding(key, "must be an attribute's path", "write it like root_block_device.iops")
            elif protection := protected(ATTRIBUTES, attribute):
                yield Finding(key, f"must stay as the platform has it: {protection[1]}", "remove it")


@warning
def terraform_overridden(terraform_overrides: Mapping[str, Overrides]) -> Iterator[Finding]:
    """No rule and no test has looked at what comes out."""
    if terraform_overrides:
        rule = "should be empty: no rule has looked at what comes out, and the next version may name its constructs otherwise"
        yield Finding(("terraform_overrides",), rule, "ask for a setting", value=", ".join(terraform_overrides))


@warning
def secret_in_values(
    values: Mapping[str, Mapping[str, Any]], extra_releases: Mapping[str, ExtraRelease]
) -> Iterator[Finding]:
    """Values are in the repository, in Terraform's state and in Helm's record in the cluster."""
    sources: list[tuple[Key, Mapping[str, Any]]] = [(("values", name), each) for name, each in values.items()]
    sources += [(("extra_releases", name, "values"), each.values) for name, each in extra_releases.items()]
    for key, each in sources:
        for path in leaves(each):
            value: Any = each
            for part in path:
                value = value[part]
            if isinstance(value, str) and value and SECRET.search(path[-1]):
                rule = "should not hold a secret: values are in the repository, in the state and in Helm's own record"
                yield Finding(
                    (*key, *path), rule, "name a Secret of the cluster: docs/extending.md, Secrets", value="(not shown)"
                )


def _releases(cluster: ClusterSettings) -> ReleaseSet | None:
    """What is installed; None while ``cluster.versions`` has a version that nobody knows, which has a rule of its own."""
    try:
        return cluster.releases
    except UnknownReleaseError:
        return None


def _charts(releases: ReleaseSet) -> list[str]:
    """Releases of the set that a chart installs."""
    return [name for name in releases.pins if releases[name].has_chart]


def _nested(path: tuple[str, ...]) -> dict[str, Any]:
    nested: Any = None
    for part in reversed(path):
        nested = {part: nested}
    return dict(nested)


def _near(path: tuple[str, ...], known: list[str]) -> str:
    """The nearest key at the place where the path leaves the chart's, or those that are there."""
    for end in range(len(path) - 1, -1, -1):
        around = "".join(f"{part}." for part in path[:end])
        there = sorted({around + key.removeprefix(around).partition(".")[0] for key in known if key.startswith(around)})
        if there:
            return suggestion(around + path[end], there)
    return "remove it"


def _rke2(config: Rke2Config) -> Iterator[tuple[str, Role, Mapping[str, Any]]]:
    yield "servers", "server", config.servers
    yield "agents", "agent", config.agents
