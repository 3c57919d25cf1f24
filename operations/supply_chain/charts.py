"""``make charts [FROM=folder]``: the charts of the release sets, each checked against its digest, unpacked for the tests.

The digests are those of ``settings/releases/catalogue.yaml``. Terraform's Helm provider cannot check them (docs/decisions/0073-charts-by-digest.md).
What was fetched once is not fetched again.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import yaml

from operations.shared.download import Unreachable, read
from operations.shared.errors import Failure
from settings import load
from settings.release_sets import SETS, Chart, Component, ComponentRelease, Digest, ReleaseInfo, ReleaseSet, release_set
from settings.upgrades import way

FOLDER = Path(".tools/charts")
"""Where they are put, as ``<chart>-<version>/``; the tests look here unless ``VET_TEST_CHARTS`` names another folder."""

CHARTS = "VET_TEST_CHARTS"
"""Environment variable: another folder with them, unpacked in the same way."""

CATALOGUE = "settings/releases/catalogue.yaml"


def fetched() -> Path | None:
    """The folder with the charts, if there is one."""
    named = os.environ.get(CHARTS)
    if named:
        return Path(named)
    return FOLDER if FOLDER.is_dir() else None


def pinned() -> Iterator[ComponentRelease]:
    """Every chart that a release set pins, each once."""
    return _charts(release_set(name) for name in SETS)


def extra() -> Iterator[ComponentRelease]:
    """The charts of teams' own releases whose digest is in the settings (``extra_releases``)."""
    for environment in load().environments:
        for name, each in environment.extra_releases.items():
            if each.digest:
                where = f"environments/{environment.name}.yaml"
                facts = ReleaseInfo(source=where, digest=Digest(sha256=each.digest, source=where))
                chart = Chart(name=each.chart, repository=each.repository)
                yield ComponentRelease(
                    name, each.version, Component(title=name, chart=chart, releases={each.version: facts}), facts
                )


def of_the_way() -> Iterator[ComponentRelease]:
    """Every chart that is installed on the way from the first release set to the last, each once."""
    first, last = release_set(SETS[0]), release_set(SETS[-1])
    return _charts([first, *(step.after for step in way(first, last).steps)])


def _charts(sets: Iterable[ReleaseSet]) -> Iterator[ComponentRelease]:
    seen = set()
    for releases in sets:
        for pin in releases.pins.items():
            release = releases[pin[0]]
            if release.has_chart and pin not in seen:
                seen.add(pin)
                yield release


def archive_name(release: ComponentRelease) -> str:
    """Name of the chart's archive, without its suffix, and of the folder that it is unpacked to."""
    return f"{release.chart.name}-{release.version}"


def check(release: ComponentRelease, archive: bytes, published: str | None) -> str | None:
    """Compare an archive with the catalogue's digest.

    :param published: what the repository says of the archive, where it was asked.
    :return: what a person should add to the catalogue, if it has no digest.

    Raises:
        Failure: it is another archive; with both digests.
    """
    found, name = hashlib.sha256(archive).hexdigest(), archive_name(release)
    digest = release.info.digest
    wanted = (digest.sha256 if digest else "") or published
    if wanted and found != wanted:
        pinned_in = digest.source if digest and digest.source.startswith("environments/") else CATALOGUE
        whose = pinned_in if digest and digest.sha256 else f"the index of {release.chart.repository}"
        raise Failure(
            f"{name}.tgz is not what was pinned: its SHA-256 is {found}, and {whose} says {wanted}. Nothing of it was unpacked. "
            "Ask the chart's maintainers whether it was published a second time before you pin the other digest."
        )
    if digest and digest.sha256:
        return None
    checked = f"compared with the index of {release.chart.repository}" if published else "compared with nothing"
    return f"{name}: {checked}; pin it in {CATALOGUE} as sha256: {found}"


def fetch(folder: Path, source: Path | None = None, *, whole_way: bool = False) -> list[str]:
    """Bring every chart that is not there yet.

    :param whole_way: those between the release sets as well.
    :param source: folder with the archives, where the repositories are out of reach.
    :return: what a person should add to the catalogue.

    Raises:
        Unreachable: a repository does not answer.
        Failure: a chart is not there, or is another.
    """
    hints = []
    for release in [*(of_the_way() if whole_way else pinned()), *extra()]:
        target = folder / archive_name(release)
        digest = release.info.digest.sha256 if release.info.digest else ""
        stamp = target / ".sha256"
        if stamp.is_file() and (not digest or stamp.read_text() == digest):
            continue
        archive, published = _given(release, source) if source else _downloaded(release)
        hints.append(check(release, archive, published))
        _unpack(archive, target, release)
    return [hint for hint in hints if hint]


def _given(release: ComponentRelease, source: Path) -> tuple[bytes, None]:
    file = source / f"{archive_name(release)}.tgz"
    if not file.is_file():
        raise Failure(f"{file} is not there. {by_hand(release)}")
    return file.read_bytes(), None


def _downloaded(release: ComponentRelease) -> tuple[bytes, str | None]:
    chart = release.chart
    index_url = f"{chart.repository.rstrip('/')}/index.yaml"
    entries = _index(index_url).get("entries", {}).get(chart.name, [])
    entry = next((each for each in entries if each["version"] == release.version), None)
    if entry is None:
        raise Failure(f"{index_url} has no {chart.name} {release.version}: pin a version that it has in {CATALOGUE}.")
    return read(urljoin(index_url, entry["urls"][0]), by_hand(release)), entry.get("digest")


@cache
def _index(url: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(
        read(url, f"Or bring the archives to a folder and say make charts FROM=folder (they are in {url})."),
        Loader=loader,
    )
    return found


def by_hand(release: ComponentRelease) -> str:
    """One line: how to get a chart where its repository is out of reach."""
    chart = release.chart
    return (
        f"Where there is a network: helm pull {chart.name} --repo {chart.repository} --version {release.version}; "
        "then bring the archives here and say make charts FROM=their-folder."
    )


def _unpack(archive: bytes, target: Path, release: ComponentRelease) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        file = Path(temporary) / "chart.tgz"
        file.write_bytes(archive)
        with tarfile.open(file) as opened:
            opened.extractall(temporary, filter="data")
        unpacked = Path(temporary) / release.chart.name
        (unpacked / ".sha256").write_text(hashlib.sha256(archive).hexdigest())
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)


def run(folder: Path, source: Path | None, *, whole_way: bool = False) -> None:
    """Bring them and say so."""
    for hint in fetch(folder, source, whole_way=whole_way):
        print(hint)
    count = len(list(of_the_way() if whole_way else pinned()))
    print(f"{count} charts are in {folder}/; the tests that render them run now.")


def run_if_reachable(*, whole_way: bool = False) -> None:
    """For ``make test-unit``: bring them where the repositories answer; say in one line that they do not."""
    try:
        run(FOLDER, None, whole_way=whole_way)
    except Unreachable as failure:
        print(f"The charts are not all here, so the tests that render them are skipped: {failure}")
