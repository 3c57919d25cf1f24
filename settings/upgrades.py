"""The way from one set of versions to another: which components, in which order, so that all fit at every moment of it.

A deploy changes Helm charts first and servers afterwards, by the roll. So before Kubernetes is raised by a minor, everything on the
cluster must accept the minor that runs **and** the next one; only what counts its versions by Kubernetes' goes with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from settings.release_sets import (
    SAME_MINOR,
    ComponentRelease,
    ReleaseSet,
    catalogue,
    check,
    parse,
    releases_of,
)

KUBERNETES, DATABASE = "rke2", "postgresql"
NODES = frozenset({KUBERNETES, "aws-cloud-controller-manager", "aws-cloud-controller-manager-image", "aws-cli"})
"""What servers and agents bring with them, so that a change of it takes a roll."""


class NoWayError(LookupError):
    """The catalogue has no releases that would make the next step; the message tells which are missing."""


@dataclass(frozen=True)
class Step:
    """One change of the settings, to be deployed, rolled and looked at before the next."""

    before: ReleaseSet
    after: ReleaseSet

    @property
    def changes(self) -> dict[str, tuple[str | None, str]]:
        """Version before and after, by component; ``None`` for what was not there."""
        pins = self.after.pins
        return {key: (self.before.pins.get(key), pins[key]) for key in pins if pins[key] != self.before.pins.get(key)}

    @property
    def rolls(self) -> bool:
        """Whether servers and agents are replaced."""
        return any(key in NODES for key in self.changes)

    @property
    def title(self) -> str:
        """In a few words: ``Kubernetes 1.27``, ``Rancher 2.8.5``, or the components' names."""
        if KUBERNETES in self.changes:
            return f"Kubernetes {self.after.kubernetes_minor}"
        return ", ".join(self.after[key].label for key in self.changes)


@dataclass(frozen=True)
class Way:
    """All steps, and what is left to people."""

    steps: tuple[Step, ...]
    end: ReleaseSet
    database: str | None
    """The major version of PostgreSQL that the target has, if it is another: no step raises it."""


def way(start: ReleaseSet, target: ReleaseSet) -> Way:
    """The steps from ``start`` to ``target``; PostgreSQL keeps its major version, whose data no other can read.

    Raises:
        NoWayError: something does not fit at the start, would have to go back, or a release is missing in between.
    """
    database, end = None, target
    if DATABASE in start and _major(start[DATABASE]) != _major(target[DATABASE]):
        database, end = str(_major(target[DATABASE])), target.override({DATABASE: start.pins[DATABASE]})
    if backwards := [key for key in end.pins if key in start and _order(start[key]) > _order(end[key])]:
        raise NoWayError(f"{', '.join(start[key].label for key in backwards)} would have to go back to {target.name}'s")
    steps: list[Step] = []
    now = start
    while dict(now.pins) != dict(end.pins):
        following = _next(now, end)
        if misfits := check(following):
            raise NoWayError(f"after {now.kubernetes_minor}, nothing fits: {misfits[0]}")
        steps.append(Step(now, following))
        now = following
    return Way(tuple(steps), end, database)


def _next(now: ReleaseSet, end: ReleaseSet) -> ReleaseSet:
    """The set after the next step."""
    raised = _raised(now, end)
    if raised is None:
        return _finished(now, end)
    behind = {misfit.key for misfit in check(raised)}
    if not behind:
        return raised
    prepared = {key: choice for key in behind if (choice := _prepared(now, raised, key, end))}
    if not prepared:
        missing = ", ".join(sorted(now[key].label for key in behind))
        raise NoWayError(
            f"from Kubernetes {now.kubernetes_minor} to {raised.kubernetes_minor} there is no release in settings/releases/catalogue.yaml "
            f"that fits both and follows {missing}: add it with its source"
        )
    return now.override(prepared)


def _raised(now: ReleaseSet, end: ReleaseSet) -> ReleaseSet | None:
    """The set with the next minor of Kubernetes and what counts its versions by it; ``None`` at the end's minor."""
    own, wanted = parse(now.rke2), parse(end.rke2)
    if (own.major, own.minor) == (wanted.major, wanted.minor):
        return None
    minor = (own.major, own.minor + 1)
    pins = {}
    for key in now.pins:
        fit = now[key].fits.get("kubernetes")
        if key == KUBERNETES or (fit and fit.range == SAME_MINOR):
            at_the_end = minor == (wanted.major, wanted.minor)
            known = [each for each in releases_of(key) if (each.program.major, each.program.minor) == minor]
            if not known:
                raise NoWayError(
                    f"{now[key].component.title} of {minor[0]}.{minor[1]} is not in settings/releases/catalogue.yaml"
                )
            pins[key] = end.pins[key] if at_the_end else known[-1].version
    return now.override(pins)


def _prepared(now: ReleaseSet, raised: ReleaseSet, key: str, end: ReleaseSet) -> str | None:
    """The newest release of a component, not newer than the end's, that fits what runs now; one that fits the next minor as well if there
    is one, else the last on the way to it."""
    fitting = [each for each in _reachable(now, key, end) if not _broken(now, each)]
    both = [each for each in fitting if not _broken(raised, each)]
    choice = both or fitting
    return choice[-1].version if choice else None


def _reachable(now: ReleaseSet, key: str, end: ReleaseSet) -> Iterator[ComponentRelease]:
    """Releases after the present one, up to the end's, in one move; the newest patch of each minor."""
    own = now[key]
    last = _order(end[key]) if key in end else len(catalogue()[key].releases)
    for each in releases_of(key):
        far = (each.program.major, each.program.minor) > (own.program.major, own.program.minor + 1)
        if _order(own) < _order(each) <= last and not (far and own.component.one_minor_at_a_time):
            yield each


def _finished(now: ReleaseSet, end: ReleaseSet) -> ReleaseSet:
    """Kubernetes' minor is reached: everything else in one step, but minor by minor where that is asked for."""
    pins: dict[str, str] = {}
    for key, version in end.pins.items():
        if key in now and now.pins[key] != version:
            reachable = [each.version for each in _reachable(now, key, end) if not _broken(now, each)]
            pins[key] = reachable[-1] if reachable else version
    on_the_way = any(pins[key] != end.pins[key] for key in pins)
    return now.override(pins) if on_the_way else end


def _broken(releases: ReleaseSet, release: ComponentRelease) -> bool:
    """Whether a release, put into a set, does not fit it by its own rules."""
    return any(misfit.key == release.key for misfit in check(releases.override({release.key: release.version})))


def _order(release: ComponentRelease) -> int:
    return list(catalogue()[release.key].releases).index(release.version)


def _major(release: ComponentRelease) -> int:
    return release.program.major
