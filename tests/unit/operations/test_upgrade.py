"""make upgrade: the table, the order of what a step does, where it stops, and how it goes on."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from operations.deployment import upgrade as module
from operations.deployment.upgrade import outages, run, snapshot_name
from operations.shared.errors import Failure
from settings import Settings
from settings import load as load_settings
from settings.loader import ENVIRONMENTS
from settings.release_sets import release_set
from settings.upgrades import way

STEPS = way(release_set("documented"), release_set("current")).steps


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the repository's settings that the command reads and writes."""
    folder = Path(shutil.copytree(ENVIRONMENTS, tmp_path / "environments"))

    def load() -> Settings:
        return load_settings(folder)

    monkeypatch.setattr(module, "load", load)
    monkeypatch.setattr(module, "ENVIRONMENTS", folder)
    return folder


@pytest.fixture
def done(files: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, with the Kubernetes that the file asks for at that moment; nothing of it reaches a cluster."""
    steps: list[str] = []

    def note(what: str, answer: int | None = None) -> Callable[..., int | None]:
        def noted(*_: object, **__: object) -> int | None:
            steps.append(f"{what} {_kubernetes(files)}")
            return answer

        return noted

    monkeypatch.setattr(module.deploy, "deploy", note("deploy"))
    monkeypatch.setattr(module.roll_servers, "roll", note("roll servers", 1))
    monkeypatch.setattr(module.roll_agents, "roll", note("roll agents"))
    monkeypatch.setattr(module.doctor, "run", note("examine", 0))
    monkeypatch.setattr(module, "Cluster", lambda _name: None)
    monkeypatch.setattr(module, "_save", lambda _, step: steps.append(f"snapshot {snapshot_name(step)}"))
    return steps


def _kubernetes(files: Path) -> str:
    """By the file alone: settings take a second to load."""
    cluster = yaml.safe_load((files / "dev.yaml").read_text()).get("cluster", {})
    releases = release_set(cluster.get("release_set", "documented")).override(cluster.get("versions", {}))
    return releases.kubernetes_minor


def test_each_step_is_settled_and_saved_before_the_next_and_the_end_is_the_set(done: list[str], files: Path) -> None:
    run("dev", "current", auto_approve=True)
    settled = [f"{what} {{}}" for what in ("deploy", "roll servers", "roll agents", "deploy", "examine")]
    expected = [each.format(STEPS[0].before.kubernetes_minor) for each in settled]
    for step in STEPS:
        expected += [f"snapshot {snapshot_name(step)}", *(each.format(step.after.kubernetes_minor) for each in settled)]
    assert done == expected
    cluster = load_settings(files).environment("dev").cluster
    assert (cluster.release_set, cluster.versions) == ("current", {"postgresql": "16.15"})


def test_after_a_stop_it_finishes_what_the_file_says_and_takes_the_rest(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_at_1_27(*_: object, **__: object) -> None:
        if _kubernetes(files) == "1.27":
            raise Failure("server 0 did not come back")

    monkeypatch.setattr(module.roll_servers, "roll", fails_at_1_27)
    with pytest.raises(Failure, match="did not come back"):
        run("dev", "current", auto_approve=True)
    assert _kubernetes(files) == "1.27"
    assert done[-1] == "deploy 1.27", "after the doubt nothing else was done"
    done.clear()

    def rolls(*_: object, **__: object) -> int:
        done.append(f"roll servers {_kubernetes(files)}")
        return 1

    monkeypatch.setattr(module.roll_servers, "roll", rolls)
    run("dev", "current", auto_approve=True)
    assert done[:6] == [
        "deploy 1.27", "roll servers 1.27", "roll agents 1.27", "deploy 1.27", "examine 1.27",
        "snapshot before-prometheus-and-grafana-88-5-3",
    ]  # fmt: skip
    assert _kubernetes(files) == "1.35"


def test_without_a_roll_nothing_is_deployed_a_second_time(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.roll_servers, "roll", lambda *_, **__: 0)
    run("dev", "current", auto_approve=True)
    assert sum(each.startswith("deploy") for each in done) == len(STEPS) + 1


def test_something_to_mend_stops_it_before_anything_is_written(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (files / "dev.yaml").read_text()
    monkeypatch.setattr(module.doctor, "run", lambda _name: 1)
    with pytest.raises(Failure, match="must be fixed first"):
        run("dev", "current", auto_approve=True)
    assert (files / "dev.yaml").read_text() == before
    assert not [each for each in done if each.startswith("snapshot")]


def test_a_person_who_says_no_stops_it_before_the_snapshot(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "agreed", lambda *_: False)
    before = (files / "dev.yaml").read_text()
    with pytest.raises(Failure, match=r"stopped before Rancher 2\.8\.5; make upgrade ENV=dev TO=current goes on"):
        run("dev", "current")
    assert (files / "dev.yaml").read_text() == before
    assert not [each for each in done if each.startswith("snapshot")]


def test_a_dry_run_shows_every_step_and_does_nothing(
    done: list[str], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (files / "dev.yaml").read_text()
    run("dev", "current", dry_run=True)
    output = " ".join(capsys.readouterr().out.split())
    for minor in range(27, 36):
        assert f"Kubernetes 1.{minor}" in output
    assert "PostgreSQL stays at 16.15" in output
    assert (done, (files / "dev.yaml").read_text()) == ([], before)


@pytest.mark.parametrize(
    ("name", "to", "message"),
    [("stage", "current", "no environment 'stage'"), ("dev", "newest", "TO=newest: there is no such release set")],
)
def test_what_does_not_exist_is_refused(name: str, to: str, message: str, files: Path) -> None:
    with pytest.raises(Failure, match=message):
        run(name, to)


def test_names_of_snapshots_are_such_as_rke2_takes_and_differ_between_rolls(files: Path) -> None:
    names = [snapshot_name(step) for step in STEPS]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name) for name in names), names
    rolled = [snapshot_name(step) for step in STEPS if "rke2" in step.changes]
    assert len(set(rolled)) == len(rolled)


def test_what_people_notice_depends_on_how_many_there_are(files: Path) -> None:
    settings = load_settings(files)
    raised = next(step for step in STEPS if "rke2" in step.changes)
    assert any("API" in each for each in outages(settings.environment("dev"), raised))
    assert list(outages(settings.environment("prod"), raised)) == []
