"""Release sets fit together, and a misfit is found, explained and solvable."""

import re

import pytest

from settings.release_sets import SETS, ReleaseSet, UnknownReleaseError, catalogue, check, find, parse, release_set
from settings.rke2_config_keys import known_keys

RULES = [(name, key, other) for name in SETS for key in release_set(name).pins for other in release_set(name)[key].fits]
"""Every rule of both sets: set, component, component that it is about."""


@pytest.mark.parametrize("name", SETS)
def test_a_set_fits_together(name: str) -> None:
    assert [str(misfit) for misfit in check(release_set(name))] == []


def test_the_documented_set_is_what_the_architecture_asks_for() -> None:
    """architecture.txt: "Helm chart: `rancher-latest/rancher`", "Version: 2.7.9"."""
    documented = release_set("documented")
    assert documented["rancher"].version == "2.7.9"
    assert documented["rancher"].chart.name == "rancher"
    assert documented["rancher"].chart.repository == "https://releases.rancher.com/server-charts/latest"
    assert documented.rke2 == "v1.26.15+rke2r1"


def test_rancher_2_7_9_with_kubernetes_1_27_names_the_rule_and_the_ways_out() -> None:
    misfits = check(release_set("documented").override({"rke2": "v1.27.16+rke2r2"}))
    rancher = next(misfit for misfit in misfits if misfit.subject == "Rancher 2.7.9")
    assert rancher.other == "Kubernetes 1.27.16 (RKE2 v1.27.16+rke2r2)"
    assert rancher.rule == "Kubernetes < 1.27.0-0"
    assert "chart/Chart.yaml" in rancher.source
    assert rancher.resolutions[0] == "Rancher 2.8.5"
    assert rancher.resolutions[-1] == "RKE2 v1.26.15+rke2r1"
    for part in (rancher.subject, rancher.other, rancher.rule, rancher.source, *rancher.resolutions):
        assert part in str(rancher), f"the message does not say {part!r}: {rancher}"


@pytest.mark.parametrize(("name", "key", "other"), RULES)
def test_every_rule_is_broken_by_a_version_outside_its_range(
    name: str, key: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release of the other component that the rule does not accept gives exactly that misfit."""
    releases = release_set(name)
    outside = _outside(releases, key, other)
    changed = "rke2" if other == "kubernetes" else other
    component = catalogue()[changed]
    facts = component.releases[releases.pins[changed]].model_copy(update={"app": None})
    strange = component.model_copy(update={"releases": {**component.releases, outside: facts}})
    monkeypatch.setitem(catalogue(), changed, strange)
    problems = check(releases.override({changed: outside}))
    subject = releases[key].label
    assert any(m.subject == subject and outside in m.other for m in problems), (
        f"{subject} accepts {other} {outside}: {problems}"
    )


def _outside(releases: ReleaseSet, key: str, other: str) -> str:
    """A version below the rule's lower bound or, where it has none, at its upper bound."""
    fit = releases[key].fits[other]
    if fit.range == "same minor":
        program = releases[key].program
        return f"v{program.major}.{program.minor + 1}.0"
    bound = re.findall(r">= (\d+)\.(\d+)\.\d+|< (\d+)\.(\d+)\.\d+", fit.range)[0]
    if not bound[0]:
        return f"v{bound[2]}.{bound[3]}.0"
    major, minor = int(bound[0]), int(bound[1])
    return f"v{major}.{minor - 1}.9" if minor else f"v{major - 1}.9.9"


@pytest.mark.parametrize(
    ("range_", "version", "accepted"),
    [
        ("< 1.27.0-0", "v1.26.15+rke2r1", True),
        ("< 1.27.0-0", "v1.27.0", False),
        ("< 1.27.0-0", "v1.27.0-rc1", False),
        ("< 1.27.0-0", "v1.27.16+rke2r2", False),
        (">= 1.25.0, < 1.33.0-0", "v1.25.0", True),
        (">= 1.25.0, < 1.33.0-0", "v1.24.17", False),
        (">= 1.25.0, < 1.33.0-0", "v1.33.0", False),
        (">= 12.0.0, < 17.0.0-0", "16.15", True),
        (">= 12.0.0, < 17.0.0-0", "17.11", False),
    ],
)
def test_ranges_mean_what_helm_means(range_: str, version: str, accepted: bool) -> None:
    fit = find("rancher", "2.7.9").fits["kubernetes"].model_copy(update={"range": range_})
    assert fit.accepts(parse("1.0.0"), parse(version)) is accepted


def test_a_version_outside_the_catalogue_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownReleaseError, match=r"Rancher '2\.7\.8'.*2\.7\.9, 2\.8\.5.*catalogue\.yaml"):
        release_set("documented").override({"rancher": "2.7.8"})
    with pytest.raises(UnknownReleaseError, match="documented, current"):
        release_set("newest")


def test_every_fact_has_a_source_and_every_rule_a_readable_range() -> None:
    for key, component in catalogue().items():
        for version, facts in component.releases.items():
            assert facts.source, f"{key} {version} has no source"
            for other, fit in find(key, version).fits.items():
                assert other == "kubernetes" or other in catalogue(), (
                    f"{key} {version} has a rule about unknown {other}"
                )
                assert fit.source, f"{key} {version}: no source for its rule about {other}"
                fit.accepts(parse("1.0.0"), parse("1.0.0"))


@pytest.mark.parametrize("name", SETS)
def test_images_are_pinned(name: str) -> None:
    releases = release_set(name)
    for key in releases.pins:
        if releases[key].component.image:
            assert re.search(r":v?\d[\w.-]*\d", releases[key].image), f"{key}: {releases[key].image} is not pinned"
    assert "@sha256:" in releases["postgresql"].image


def test_a_minor_of_postgresql_is_a_choice() -> None:
    """Back from a minor that misbehaves, and up to it later than a set: each by digest, newest last, and each fits where its major does."""
    majors: dict[int, list[int]] = {}
    for version in catalogue()["postgresql"].releases:
        release = find("postgresql", version)
        majors.setdefault(release.program.major, []).append(release.program.minor)
        assert re.search(rf":{re.escape(version)}-\d{{12}}-[a-z]+-[a-z]+@sha256:[0-9a-f]{{64}}$", release.image), (
            release.image
        )
    for major, minors in majors.items():
        assert len(minors) >= 3, f"PostgreSQL {major}: its minors in the catalogue are {minors}, which leaves no choice"
        assert minors == sorted(minors), f"PostgreSQL {major}: oldest first"
    for name in SETS:
        own = release_set(name)["postgresql"].program
        assert own.minor == majors[own.major][-1], f"{name} has an older minor than the catalogue"
        for minor in majors[own.major]:
            assert check(release_set(name).override({"postgresql": f"{own.major}.{minor}"})) == []


@pytest.mark.parametrize("name", SETS)
def test_what_rke2_brings_is_not_installed_again(name: str) -> None:
    """metrics-server and the snapshot CRDs come with RKE2; a second one would fight over the same API service."""
    releases = release_set(name)
    assert {"rke2-metrics-server", "rke2-snapshot-controller"} <= set(releases["rke2"].info.bundles)
    installed = {releases[key].chart.name for key in releases.pins if releases[key].component.chart}
    assert not installed & {"metrics-server", "snapshot-controller"}, installed


def test_urls_of_what_nodes_download() -> None:
    documented = release_set("documented")
    base = "https://github.com/rancher/rke2/releases/download/v1.26.15%2Brke2r1"
    assert documented.rke2_tarball_url == f"{base}/rke2.linux-amd64.tar.gz"
    assert documented.rke2_checksums_url == f"{base}/sha256sum-amd64.txt"
    assert re.fullmatch(
        r"https://awscli\.amazonaws\.com/awscli-exe-linux-x86_64-2\.\d+\.\d+\.zip", documented.aws_cli_url
    )


def test_every_rke2_release_has_its_configuration_keys() -> None:
    for version in catalogue()["rke2"].releases:
        assert {"cni", "disable", "tls-san", "etcd-s3"} <= known_keys(version, "server")
        assert "etcd-s3" not in known_keys(version, "agent")
