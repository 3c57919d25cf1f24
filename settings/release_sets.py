"""Release sets: versions of everything on the cluster that are known to fit together, and the rules that say so.

``settings/releases/catalogue.yaml`` tells what each release accepts, with the source of that fact;
``documented.yaml`` and ``current.yaml`` beside it pin one release of each component. An environment may pin others of
the catalogue; :func:`check` then finds what no longer fits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field
from semver import Version

from settings import yaml_text
from settings.base import Section

FOLDER = Path(__file__).parent / "releases"
"""Where catalogue and sets are."""

SETS = ("documented", "current")
"""Names of the sets."""

SAME_MINOR = "same minor"
"""The range of a component whose major and minor version must be the other's."""


class UnknownReleaseError(LookupError):
    """A set, component or version that the catalogue does not have; the message tells what it has."""


class Constraint(Section):
    """What a release accepts of another component."""

    range: str
    """Comparisons joined by commas, such as ``>= 1.25.0, < 1.33.0-0``, or ``same minor``."""

    source: str
    """Where this is stated."""

    def accepts(self, own: Version, other: Version) -> bool:
        """Whether a release whose program is ``own`` accepts ``other``. As in Helm, ``+rke2r1`` has no say."""
        if self.range == SAME_MINOR:
            return (own.major, own.minor) == (other.major, other.minor)
        return all(other.match(comparison.replace(" ", "")) for comparison in self.range.split(","))

    def wanted(self, own: Version) -> str:
        """The range in words, for an error."""
        return f"{own.major}.{own.minor}" if self.range == SAME_MINOR else self.range


class Chart(Section):
    """Where Helm finds a chart."""

    name: str
    """Name in the repository."""

    repository: str
    """URL of the repository."""


class Digest(Section):
    """What a chart's archive is known by."""

    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")
    """SHA-256 of the archive (``.tgz``), as the repository's ``index.yaml`` has it; empty where no public text shows it."""

    source: str
    """Where it was read, or who has it."""


class ReleaseInfo(Section):
    """What the catalogue knows of one release."""

    source: str
    """Where its existence and contents were read."""

    app: str | None = None
    """Version of the program; left out, the release's own."""

    tag: str | None = None
    """Tag of the image, with a digest where there is one; left out, the version."""

    chart: Chart | None = None
    """The chart, where it differs from the component's."""

    digest: Digest | None = None
    """Of the chart's archive, where a chart installs it."""

    fits: dict[str, Constraint] = {}
    """What it accepts, by component."""

    bundles: dict[str, str] = {}
    """What it installs by itself, by name: not to be installed again."""


class Component(Section):
    """One thing that has versions."""

    title: str
    """Its name in messages."""

    chart: Chart | None = None
    """Its Helm chart, if it is installed by one."""

    image: str | None = None
    """Its container image without a tag, if that is what the version is of."""

    fits: dict[str, Constraint] = {}
    """What every release of it accepts, by component."""

    one_minor_at_a_time: str | None = None
    """Who says that an upgrade must not skip a minor version; left out, it may."""

    releases: dict[str, ReleaseInfo] = Field(min_length=1)
    """Its known releases by version, oldest first."""


@dataclass(frozen=True)
class ComponentRelease:
    """One release of one component."""

    key: str
    """The component's name in the catalogue, which is also the name of its Helm release."""

    version: str
    """Version as it is pinned: the chart's, or the image's."""

    component: Component
    """What all releases of it share."""

    info: ReleaseInfo
    """What is known of this one."""

    @property
    def label(self) -> str:
        """Name and version for messages, such as ``Rancher 2.7.9``."""
        program = "" if self.info.app in (None, self.version) else f" (chart {self.version})"
        return f"{self.component.title} {self.info.app or self.version}{program}"

    @property
    def program(self) -> Version:
        """Version of the program, which ranges are about."""
        return parse(self.info.app or self.version)

    @property
    def has_chart(self) -> bool:
        """Whether a Helm chart installs it."""
        return (self.info.chart or self.component.chart) is not None

    @property
    def chart(self) -> Chart:
        """Its Helm chart. Raises ``UnknownReleaseError`` for what has none."""
        chart = self.info.chart or self.component.chart
        if chart is None:
            raise UnknownReleaseError(f"{self.label} is not installed by a chart")
        return chart

    @property
    def tag(self) -> str:
        """Tag of its image, with the digest where there is one."""
        return self.info.tag or self.version

    @property
    def image(self) -> str:
        """Full image reference, by digest where there is one. Raises ``UnknownReleaseError`` for what is no image."""
        if self.component.image is None:
            raise UnknownReleaseError(f"{self.label} is not an image")
        return f"{self.component.image}:{self.tag}"

    @property
    def fits(self) -> dict[str, Constraint]:
        """What it accepts, by component."""
        return {**self.component.fits, **self.info.fits}


@dataclass(frozen=True)
class ReleaseSet:
    """One release of each component."""

    name: str
    """``documented`` or ``current``."""

    pins: Mapping[str, str]
    """Version by component."""

    def __getitem__(self, component: str) -> ComponentRelease:
        """The pinned release. Raises ``UnknownReleaseError`` if the set does not pin the component."""
        if component not in self.pins:
            raise UnknownReleaseError(f"release set {self.name} has no {component}; it has {', '.join(self.pins)}")
        return find(component, self.pins[component])

    def __contains__(self, component: object) -> bool:
        return component in self.pins

    def without(self, *components: str) -> "ReleaseSet":
        """The same set, in which nothing is known of these."""
        return replace(self, pins={key: version for key, version in self.pins.items() if key not in components})

    def override(self, versions: Mapping[str, str]) -> "ReleaseSet":
        """The same set with other versions. Raises ``UnknownReleaseError`` for what the catalogue does not know."""
        for component, version in versions.items():
            find(component, version)
        return replace(self, pins={**self.pins, **versions})

    @property
    def rke2(self) -> str:
        """Version of RKE2, such as ``v1.26.15+rke2r1``."""
        return self.pins["rke2"]

    @property
    def kubernetes(self) -> str:
        """Version of Kubernetes that RKE2 brings, such as ``1.26.15``."""
        return str(parse(self.rke2).replace(build=None))

    @property
    def kubernetes_minor(self) -> str:
        """Its minor version, such as ``1.26``."""
        version = parse(self.rke2)
        return f"{version.major}.{version.minor}"

    @property
    def rke2_tarball_url(self) -> str:
        """RKE2 for x86-64 Linux (rancher/rke2 install.sh, ``download_tarball``)."""
        return f"{self._rke2_download_url}/rke2.linux-amd64.tar.gz"

    @property
    def rke2_checksums_url(self) -> str:
        """SHA-256 sums of the files of the RKE2 release (rancher/rke2 install.sh, ``download_checksums``)."""
        return f"{self._rke2_download_url}/sha256sum-amd64.txt"

    @property
    def _rke2_download_url(self) -> str:
        return f"https://github.com/rancher/rke2/releases/download/{self.rke2.replace('+', '%2B')}"

    @property
    def aws_cli_url(self) -> str:
        """AWS CLI v2 for x86-64 Linux; with ``.sig`` after it, its PGP signature (docs.aws.amazon.com/cli, install)."""
        return f"https://awscli.amazonaws.com/awscli-exe-linux-x86_64-{self.pins['aws-cli']}.zip"


@dataclass(frozen=True)
class Incompatibility:
    """Two releases that do not fit, why, and the ways out."""

    key: str
    """The component whose rule is broken."""

    subject: str
    """The release whose rule is broken, such as ``Rancher 2.7.9``."""

    other: str
    """The release that it does not accept, such as ``Kubernetes 1.27.16 (RKE2 v1.27.16+rke2r2)``."""

    rule: str
    """What the subject accepts."""

    source: str
    """Where that is stated."""

    resolutions: tuple[str, ...]
    """Changes that make the two fit."""

    def __str__(self) -> str:
        ways = (
            "; or ".join(self.resolutions)
            or "none in settings/releases/catalogue.yaml: add a release that fits, with its source"
        )
        return (
            f"{self.subject} does not fit {self.other}: it needs {self.rule} (source: {self.source}). Ways out: {ways}."
        )


def parse(version: str) -> Version:
    """A version with or without a leading ``v``, a minor and a patch number (PostgreSQL's has no patch)."""
    return Version.parse(version.removeprefix("v"), optional_minor_and_patch=True)


@cache
def catalogue() -> dict[str, Component]:
    """Everything that may be pinned, by component."""
    return {key: Component.model_validate(component) for key, component in _read("catalogue").items()}


def find(component: str, version: str) -> ComponentRelease:
    """A release of the catalogue. Raises ``UnknownReleaseError`` and says what there is instead."""
    if component not in catalogue():
        raise UnknownReleaseError(f"no component {component!r}; there are {', '.join(catalogue())}")
    known = catalogue()[component]
    if version not in known.releases:
        raise UnknownReleaseError(
            f"nothing is known of {known.title} {version!r}: pin one of {', '.join(known.releases)}, "
            "or add it with its source to settings/releases/catalogue.yaml"
        )
    return ComponentRelease(component, version, known, known.releases[version])


def releases_of(component: str) -> list[ComponentRelease]:
    """All releases of a component, oldest first. Raises ``UnknownReleaseError`` for a component that is not known."""
    if component not in catalogue():
        raise UnknownReleaseError(f"no component {component!r}; there are {', '.join(catalogue())}")
    return [find(component, version) for version in catalogue()[component].releases]


@cache
def release_set(name: str) -> ReleaseSet:
    """The set of that name. Raises ``UnknownReleaseError`` if there is none."""
    if name not in SETS:
        raise UnknownReleaseError(f"no release set {name!r}; there are {', '.join(SETS)}")
    return ReleaseSet(name, {}).override(_read(name))


def check(releases: ReleaseSet) -> list[Incompatibility]:
    """Every rule of the set that is broken; an empty list when all fits."""
    return [
        _incompatibility(releases, releases[key], component, fit)
        for key in releases.pins
        for component, fit in releases[key].fits.items()
        if not fit.accepts(releases[key].program, _program(releases, component))
    ]


def _program(releases: ReleaseSet, component: str) -> Version:
    return parse(releases.kubernetes) if component == "kubernetes" else releases[component].program


def _incompatibility(
    releases: ReleaseSet, subject: ComponentRelease, component: str, fit: Constraint
) -> Incompatibility:
    changeable = "rke2" if component == "kubernetes" else component
    other = releases[changeable]
    label = f"Kubernetes {releases.kubernetes} ({other.label})" if component == "kubernetes" else other.label
    title = "Kubernetes" if component == "kubernetes" else other.component.title
    ways = [
        *_fitting(releases, subject.key, subject, component),
        *_fitting(releases, changeable, subject, component),
    ]
    return Incompatibility(
        subject.key, subject.label, label, f"{title} {fit.wanted(subject.program)}", fit.source, tuple(ways)
    )


def _fitting(releases: ReleaseSet, changed: str, subject: ComponentRelease, component: str) -> Iterable[str]:
    """Releases of ``changed`` that would make the subject's rule about ``component`` hold."""
    for version in catalogue()[changed].releases:
        changed_set = releases.override({changed: version})
        rule = changed_set[subject.key].fits.get(component)
        if rule is None or rule.accepts(changed_set[subject.key].program, _program(changed_set, component)):
            yield find(changed, version).label


def _read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml_text.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return loaded
