"""Charts are what was pinned, or they are not taken."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.devtools.emulator.chart_repository import serve
from operations.shared.download import Unreachable
from operations.shared.errors import Failure
from operations.supply_chain import charts
from operations.supply_chain.charts import archive_name, fetch, run_if_reachable
from settings import load
from settings.release_sets import SETS, Chart, Component, ComponentRelease, Digest, ReleaseInfo, catalogue, release_set
from tests.changes import one_environment


def _archive(text: str = "name: clinic\n") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as opened:
        about = tarfile.TarInfo("clinic/Chart.yaml")
        about.size = len(text)
        opened.addfile(about, io.BytesIO(text.encode()))
    return file.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Repository:
    """A repository with one chart, and the release that is pinned of it."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.url, self._patch = folder, url, monkeypatch
        self.archive = _archive()
        charts._index.cache_clear()

    def publishes(self, archive: bytes, *, digest: str | None = None) -> None:
        (self.folder / "clinic-1.0.0.tgz").write_bytes(archive)
        digest = digest or _sha256(archive)
        entry = f"{{version: 1.0.0, digest: {digest}, urls: [clinic-1.0.0.tgz]}}"
        (self.folder / "index.yaml").write_text(f"entries: {{clinic: [{entry}]}}\n")

    def pins(self, sha256: str) -> ComponentRelease:
        chart = Chart(name="clinic", repository=self.url)
        facts = ReleaseInfo(source="here", digest=Digest(sha256=sha256, source="here"))
        release = ComponentRelease(
            "clinic", "1.0.0", Component(title="Clinic", chart=chart, releases={"1.0.0": facts}), facts
        )
        self._patch.setattr(charts, "pinned", lambda: iter([release]))
        return release


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    folder = tmp_path / "published"
    folder.mkdir()
    with serve(folder) as url:
        yield Repository(folder, url, monkeypatch)


def test_a_chart_with_the_pinned_digest_is_unpacked_once(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.publishes(repository.archive)
    release = repository.pins(_sha256(repository.archive))
    assert fetch(tmp_path / "charts") == [], "there is nothing to add"
    assert (tmp_path / "charts" / archive_name(release) / "Chart.yaml").read_text() == "name: clinic\n"
    monkeypatch.setattr(charts, "_downloaded", lambda release: pytest.fail("fetched again"))
    fetch(tmp_path / "charts")


@pytest.mark.parametrize("published", ["what it is", "what was pinned"])
def test_another_archive_is_refused_whatever_the_repository_says_of_it(
    repository: Repository, tmp_path: Path, published: str
) -> None:
    other = _archive("name: somebody-else\n")
    pinned = _sha256(repository.archive)
    repository.publishes(other, digest=pinned if published == "what was pinned" else None)
    repository.pins(pinned)
    with pytest.raises(Failure) as caught:
        fetch(tmp_path / "charts")
    for named in ("clinic-1.0.0.tgz", _sha256(other), pinned, charts.CATALOGUE):
        assert named in str(caught.value), f"{named} is not named: {caught.value}"
    assert not list((tmp_path / "charts").glob("*")), "something of it was unpacked"


def test_a_pin_that_changes_brings_the_chart_anew(repository: Repository, tmp_path: Path) -> None:
    repository.publishes(repository.archive)
    repository.pins(_sha256(repository.archive))
    fetch(tmp_path / "charts")
    newer = _archive("name: newer\n")
    repository.publishes(newer)
    repository.pins(_sha256(newer))
    charts._index.cache_clear()
    fetch(tmp_path / "charts")
    assert (tmp_path / "charts/clinic-1.0.0/Chart.yaml").read_text() == "name: newer\n"


def test_a_chart_without_a_pin_is_compared_with_the_index_and_its_digest_is_shown(
    repository: Repository, tmp_path: Path
) -> None:
    repository.publishes(repository.archive)
    repository.pins("")
    (hint,) = fetch(tmp_path / "charts")
    assert _sha256(repository.archive) in hint
    assert charts.CATALOGUE in hint
    repository.publishes(repository.archive, digest="f" * 64)
    charts._index.cache_clear()
    with pytest.raises(Failure, match="the index of"):
        fetch(tmp_path / "elsewhere")


def test_where_the_repository_is_out_of_reach_archives_are_taken_from_a_folder(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.url = "http://127.0.0.1:9"  # discard: nobody listens
    repository.pins(_sha256(repository.archive))
    with pytest.raises(Unreachable, match="FROM="):
        fetch(tmp_path / "charts")
    monkeypatch.setattr(charts, "FOLDER", tmp_path / "charts")
    run_if_reachable()
    assert "skipped" in capsys.readouterr().out
    with pytest.raises(Failure, match=r"helm pull clinic --repo http://127\.0\.0\.1:9 --version 1\.0\.0"):
        fetch(tmp_path / "charts", tmp_path)
    (tmp_path / "clinic-1.0.0.tgz").write_bytes(repository.archive)
    fetch(tmp_path / "charts", tmp_path)
    assert (tmp_path / "charts/clinic-1.0.0/Chart.yaml").exists()


def test_every_chart_of_the_catalogue_has_a_digest_or_says_who_has_it() -> None:
    looked_at: list[Any] = []
    for key, component in catalogue().items():
        for version, facts in component.releases.items():
            chart = facts.chart or component.chart
            assert (facts.digest is not None) is (chart is not None), (
                f"{key} {version}: a chart has a digest, nothing else"
            )
            if facts.digest and not facts.digest.sha256:
                host = chart.repository.split("/")[2] if chart else ""
                assert host in facts.digest.source, f"{key} {version}: say that {host} has it: {facts.digest.source}"
            looked_at += [facts.digest] if facts.digest else []
    shown = {digest.sha256 for digest in looked_at if digest.sha256}
    assert len(shown) == sum(bool(digest.sha256) for digest in looked_at), "two charts have one digest"


def test_what_deploys_is_what_is_fetched() -> None:
    fetched = {(release.key, release.version) for release in charts.pinned()}
    for name in SETS:
        releases = release_set(name)
        for key in releases.pins:
            if releases[key].component.chart:
                assert (key, releases.pins[key]) in fetched, f"{name} installs {key}, and make charts does not bring it"


def test_charts_of_a_team_s_own_releases_are_compared_as_well(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.publishes(repository.archive)
    monkeypatch.setattr(charts, "pinned", lambda: iter([]))
    extra_release = {
        "chart": "clinic",
        "repository": "https://charts.example.com",
        "version": "1.0.0",
        "namespace": "tools",
    }
    settings = load(one_environment(tmp_path, {"extra_releases": {"tool": {**extra_release, "digest": "0" * 64}}}))
    monkeypatch.setattr(charts, "load", lambda: settings)
    (release,) = charts.extra()
    assert (release.chart.name, release.chart.repository) == ("clinic", "https://charts.example.com")
    monkeypatch.setattr(charts, "_downloaded", lambda release: (repository.archive, None))
    with pytest.raises(Failure, match=r"environments/dev\.yaml says 0000"):
        fetch(tmp_path / "charts")
