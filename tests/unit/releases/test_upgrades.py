"""The way between release sets: everything fits before, during and after each of its steps."""

from itertools import pairwise

import pytest

from settings.release_sets import SAME_MINOR, ReleaseSet, catalogue, check, parse, release_set
from settings.upgrades import NoWayError, Step, way

START, TARGET = release_set("documented"), release_set("current")
STEPS = way(START, TARGET).steps
each = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)


def _minor(version: str) -> tuple[int, int]:
    parsed = parse(version)
    return parsed.major, parsed.minor


def _refusing(releases: ReleaseSet, kubernetes: str) -> list[str]:
    """What does not accept that Kubernetes, of all that does not count its versions by it."""
    rules = {key: releases[key].fits.get("kubernetes") for key in releases.pins}
    return [
        f"{releases[key].label} needs {fit.range}"
        for key, fit in rules.items()
        if fit and fit.range != SAME_MINOR and not fit.accepts(releases[key].program, parse(kubernetes))
    ]


@each
def test_everything_fits_before_and_after_the_servers_roll(step: Step) -> None:
    """A deploy changes the charts while the old Kubernetes runs, and the roll brings the new one."""
    assert check(step.after) == []
    for kubernetes in (step.before.kubernetes, step.after.kubernetes):
        assert _refusing(step.after, kubernetes) == [], f"with Kubernetes {kubernetes}"


@each
def test_no_step_skips_a_minor_that_must_not_be_skipped(step: Step) -> None:
    for key, (before, after) in step.changes.items():
        if catalogue()[key].one_minor_at_a_time and before:
            (major, minor), new = _minor(before), _minor(after)
            assert new in {(major, minor), (major, minor + 1)}, f"{key} {before} -> {after}"


@each
def test_kubernetes_and_rancher_do_not_change_at_once(step: Step) -> None:
    assert not {"rke2", "rancher"} <= set(step.changes), step.changes


def test_the_steps_join_and_end_at_the_target_with_the_database_of_the_start() -> None:
    route = way(START, TARGET)
    assert route.steps[0].before == START
    assert all(one.after == other.before for one, other in pairwise(route.steps))
    end = route.steps[-1].after
    assert {key for key in end.pins if end.pins[key] != TARGET.pins[key]} == {"postgresql"}
    assert end.pins["postgresql"] == START.pins["postgresql"]
    assert route.database == str(TARGET["postgresql"].program.major)


@pytest.mark.parametrize("taken", range(1, len(STEPS)), ids=lambda taken: f"after {STEPS[taken - 1].title}")
def test_from_wherever_it_was_left_the_same_way_goes_on(taken: int) -> None:
    rest = way(STEPS[taken - 1].after, TARGET).steps
    assert [step.title for step in rest] == [step.title for step in STEPS[taken:]]


def test_what_is_reached_has_no_steps_left() -> None:
    assert way(STEPS[-1].after, TARGET).steps == ()
    assert way(TARGET, TARGET).steps == ()


def test_there_is_no_way_back() -> None:
    with pytest.raises(NoWayError, match=r"RKE2 v1\.35.*would have to go back"):
        way(TARGET.override({"postgresql": START.pins["postgresql"]}), START)


@pytest.mark.parametrize(
    ("component", "version", "message"),
    [
        ("rke2", "v1.30.14+rke2r2", r"RKE2 of 1\.30 is not in"),
        ("rancher", "2.10.3", r"from Kubernetes 1\.30 to 1\.31 there is no release.*Rancher 2\.9\.3"),
        ("cloudnative-pg", "0.22.1", r"from Kubernetes 1\.28 to 1\.29 there is no release.*CloudNativePG 1\.22\.2"),
    ],
)
def test_a_hole_in_the_catalogue_is_named(
    component: str, version: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = catalogue()[component]
    left = {key: facts for key, facts in known.releases.items() if key != version}
    monkeypatch.setitem(catalogue(), component, known.model_copy(update={"releases": left}))
    with pytest.raises(NoWayError, match=message):
        way(START, TARGET)


def test_the_catalogue_has_every_minor_up_to_the_newest_that_the_newest_rancher_accepts() -> None:
    newest = next(reversed(catalogue()["rancher"].releases.values()))
    last = int(newest.fits["kubernetes"].range.rpartition("< 1.")[2].partition(".")[0]) - 1
    minors = {_minor(version)[1] for version in catalogue()["rke2"].releases}
    assert minors >= set(range(26, last + 1)), sorted(minors)
    for key, component in catalogue().items():
        for minor in sorted(minors):
            fitting = [version for version in component.releases if _accepts(key, version, f"v1.{minor}.0")]
            assert fitting or key == "plugin-barman-cloud", f"no {component.title} fits Kubernetes 1.{minor}"


def _accepts(key: str, version: str, kubernetes: str) -> bool:
    if key == "rke2":
        return _minor(version) == _minor(kubernetes)
    release = START.override({key: version})[key]
    fit = release.fits.get("kubernetes")
    return fit is None or fit.accepts(release.program, parse(kubernetes))
