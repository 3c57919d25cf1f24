"""make upgrade: the table, the order of what a step does, where it stops, and how it goes on."""

import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from operations.cluster import record
from operations.cluster.snapshots import Snapshot
from operations.deployment import upgrade as module
from operations.deployment import upgrade_back as back
from operations.deployment.plan import LOSE
from operations.deployment.upgrade import outages, run, snapshot_name
from operations.shared.errors import Failure
from settings import Settings
from settings import load as load_settings
from settings.documents import merged
from settings.loader import ENVIRONMENTS
from settings.release_sets import release_set
from settings.upgrades import way

DEV = load_settings().environment("dev")
STEPS = way(DEV.releases, DEV.installed(release_set("current"))).steps


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
    for each in (module, back):
        monkeypatch.setattr(each, "Cluster", lambda name: SimpleNamespace(environment=SimpleNamespace(name=name)))
    monkeypatch.setattr(module, "_save", lambda _, step: steps.append(f"snapshot {snapshot_name(step)}"))
    monkeypatch.setattr(back, "ENVIRONMENTS", files)
    monkeypatch.setattr(back, "snapshots", lambda _: _in_the_bucket(steps))
    monkeypatch.setattr(back, "restore", lambda _, request: steps.append(f"restore {request.snapshot} {request.force}"))
    return steps


def _in_the_bucket(done: list[str]) -> list[Snapshot]:
    """What was taken, as RKE2 names it, newest first."""
    taken = [each.removeprefix("snapshot ") for each in done if each.startswith("snapshot ")]
    return [Snapshot(f"{name}-node-0-1764500000", datetime.now(UTC), 4096) for name in reversed(taken)]


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The bucket's record, as JSON has it."""
    store: dict[str, Any] = {}

    def write(_: object, key: str, content: dict[str, Any]) -> None:
        store[key] = json.loads(json.dumps(content))

    monkeypatch.setattr(record, "read", lambda _cluster, key, _operation: store.get(key))
    monkeypatch.setattr(record, "write", write)
    monkeypatch.setattr(record, "forget", lambda _, key: store.pop(key))
    return store


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
        f"snapshot {snapshot_name(STEPS[2])}",
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


def _walk(to: int, files: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take so many steps from `documented`; the file as it was before the last of them."""
    texts = [(files / "dev.yaml").read_text()]

    def agreed(*_: object) -> bool:
        texts.append((files / "dev.yaml").read_text())
        return len(texts) <= to + 1

    monkeypatch.setattr(module, "agreed", agreed)
    with pytest.raises(Failure, match="stopped before"):
        run("dev", "current")
    return texts[-2]


def _number(title: str) -> int:
    return next(number for number, step in enumerate(STEPS, 1) if step.title.startswith(title))


def test_a_step_that_rolled_goes_back_by_its_snapshot_and_a_roll(
    done: list[str], files: Path, recorded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _walk(_number("Kubernetes 1.27"), files, monkeypatch)
    assert _kubernetes(files) == "1.27"
    done_before = len(done)
    back.run("dev", auto_approve=True)
    assert done[done_before:] == [
        "restore before-kubernetes-1-27-node-0-1764500000 True",
        "deploy 1.26", "roll servers 1.26", "roll agents 1.26", "deploy 1.26", "examine 1.26",
    ]  # fmt: skip
    assert yaml.safe_load((files / "dev.yaml").read_text())["cluster"] == yaml.safe_load(before)["cluster"]
    assert "# Development: small, cheap" in (files / "dev.yaml").read_text(), "comments of the file are gone"
    assert recorded == {}, "the step is back, and nothing of it is to be gone on with"
    with pytest.raises(Failure, match=r"no step of make upgrade is recorded for dev"):
        back.run("dev", auto_approve=True)


def test_rancher_goes_back_by_its_snapshot_and_charts_by_a_deploy_alone(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.roll_servers, "roll", lambda *_, **__: 0)
    charts = next(n for n, step in enumerate(STEPS, 1) if not step.rolls and not step.needs_snapshot_back)
    rancher = next(n for n, step in enumerate(STEPS, 1) if not step.rolls and "rancher" in step.changes)
    for number, restored in ((rancher, 1), (charts, 0)):
        shutil.copy(ENVIRONMENTS / "dev.yaml", files / "dev.yaml")
        _walk(number, files, monkeypatch)
        done_before = len(done)
        back.run("dev", auto_approve=True)
        taken = done[done_before:]
        assert sum(each.startswith("restore") for each in taken) == restored, (STEPS[number - 1].title, taken)
        assert [each.split()[0] for each in taken if "restore" not in each] == ["deploy", "roll", "examine"], taken


def test_a_way_back_that_stopped_goes_on_and_restores_once(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _walk(_number("Kubernetes 1.27"), files, monkeypatch)
    rolls = module.roll_servers.roll

    def fails(*_: object, **__: object) -> None:
        raise Failure("server 0 did not come back")

    monkeypatch.setattr(module.roll_servers, "roll", fails)
    with pytest.raises(Failure, match="did not come back"):
        back.run("dev", auto_approve=True)
    assert _kubernetes(files) == "1.26", "the former versions are in the file before anything else"
    with pytest.raises(Failure, match=r"Kubernetes 1\.27 is being taken back; first: make upgrade ENV=dev BACK=yes"):
        run("dev", "current", auto_approve=True)
    monkeypatch.setattr(module.roll_servers, "roll", rolls)
    back.run("dev", auto_approve=True)
    assert sum(each.startswith("restore") for each in done) == 1, "a second restore would undo what was done since"


def test_plans_and_rolls_let_kubernetes_go_back_while_a_step_is_taken_back(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both refuse a former minor otherwise."""
    _walk(_number("Kubernetes 1.27"), files, monkeypatch)
    seen: list[object] = []
    monkeypatch.setattr(module.deploy, "deploy", lambda *_, **__: seen.append(os.environ.get(LOSE)))
    monkeypatch.setattr(module.roll_servers, "roll", lambda *_, **options: seen.append(options["back"]))
    monkeypatch.setenv(LOSE, "aws_eip.a")
    back.run("dev", auto_approve=True)
    assert seen == ["aws_eip.a cluster.versions", True]
    assert os.environ[LOSE] == "aws_eip.a", "it holds for the way back alone"


def test_a_way_back_is_asked_for_and_shown(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _walk(_number("Kubernetes 1.27"), files, monkeypatch)
    text, done_before = (files / "dev.yaml").read_text(), list(done)
    back.run("dev", dry_run=True)
    monkeypatch.setattr(back, "agreed", lambda *_: False)
    with pytest.raises(Failure, match="nothing was changed"):
        back.run("dev")
    assert ((files / "dev.yaml").read_text(), done) == (text, done_before)
    output = " ".join(capsys.readouterr().out.split())
    assert "rke2 v1.27.16+rke2r2 -> v1.26.15+rke2r1" in output
    assert "restore before-kubernetes-1-27-node-0-1764500000: what was done in the cluster since is undone" in output


def test_a_file_that_was_changed_since_and_a_snapshot_that_is_gone_stop_the_way_back(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _walk(_number("Kubernetes 1.27"), files, monkeypatch)
    file = files / "dev.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("rke2: v1.27.16+rke2r2", "rke2: v1.27.16+rke2r2\n    aws-cli: 2.36.7\n    kured: 5.1.0")
    )
    with pytest.raises(
        Failure, match=r"environments/dev\.yaml: cluster\.release_set and cluster\.versions are .*changed since"
    ):
        back.run("dev", auto_approve=True)
    file.write_text(text)
    monkeypatch.setattr(back, "snapshots", lambda _: [])
    with pytest.raises(Failure, match=r"there is no snapshot before-kubernetes-1-27 any more"):
        back.run("dev", auto_approve=True)
    assert file.read_text() == text


def test_over_etcd_s_own_change_of_version_there_is_no_way_back_by_the_roll(
    done: list[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _walk(_number("Kubernetes 1.33"), files, monkeypatch)
    with pytest.raises(
        Failure, match=r"Kubernetes 1\.33 brought etcd v3\.6\.14-k3s1, whose data etcd v3\.5\.26-k3s1 does not"
    ):
        back.run("dev", auto_approve=True)
    assert not [each for each in done if each.startswith("restore")]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_page_says_how_many_steps_there_are(name: str) -> None:
    environment = load_settings().environment(name)
    steps = way(environment.releases, environment.installed(release_set("current"))).steps
    page = (Path(__file__).parents[3] / "docs/runbooks/upgrading.md").read_text()
    match = re.search(rf"(\d+) in `{name}`", page)
    assert match, f"docs/runbooks/upgrading.md says nothing of {name}'s steps"
    assert int(match[1]) == len(steps), f"{name} has {len(steps)} steps from documented to current"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_after_each_step_the_file_is_one_that_every_command_reads(name: str, files: Path) -> None:
    """Rules compare the environment's own values with the charts of each version that is passed."""
    file = files / f"{name}.yaml"
    document = yaml.safe_load(file.read_text())
    environment = load_settings(files).environment(name)
    for step in way(environment.releases, environment.installed(release_set("current"))).steps:
        pins = {
            key: version for key, version in step.after.pins.items() if environment.releases.pins.get(key) != version
        }
        file.write_text(yaml.safe_dump(merged(document, {"cluster": {"versions": pins}})))
        reached = load_settings(files).environment(name).releases.pins
        assert pins.items() <= reached.items(), f"after {step.title}: {reached}"


def test_what_is_not_installed_is_no_step() -> None:
    titles = " ".join(step.title for step in STEPS)
    assert "Prometheus" not in titles, titles
    assert not {"kured", "monitoring", "cluster-autoscaler"} & {key for step in STEPS for key in step.changes}


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
