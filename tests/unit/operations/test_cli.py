"""The program ``vet``: its commands reach their modules, its page is fresh, completion and exit statuses are as the page says."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from operations.cli import DIFFERENT, EXIT_CODES, app, reference
from operations.cluster import snapshots
from operations.doctor import doctor
from operations.shared.errors import INTERRUPTED, Failure
from settings.loader import ENVIRONMENTS

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text().replace("\\\n", " ")
COMPLETE = {"_VET_COMPLETE": "complete_bash"}
TAKEN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
runner = CliRunner()


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group, by its words."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def vet(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the program as a pipe sees it."""
    return subprocess.run(
        [sys.executable, "-m", "operations", *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **variables},
        capture_output=True,
        text=True,
    )


def completed(words: str) -> set[str]:
    """What the shell is offered after these words."""
    answer = vet(**COMPLETE, COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1))
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


def test_the_page_of_commands_is_fresh() -> None:
    assert (ROOT / reference.PAGE).read_text() == reference.page(), f"{reference.PAGE} is old: run make commands"


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_command_has_help_and_is_on_the_page(words: tuple[str, ...]) -> None:
    result = runner.invoke(app, [*words, "--help"])
    assert result.exit_code == 0, result.output
    assert f"`vet {' '.join(words)}`" in reference.page()


def test_every_make_target_that_operates_the_platform_runs_an_existing_command() -> None:
    known = {words for words, _ in commands()}
    lines = re.findall(r"python -m operations (.+)", MAKEFILE)
    assert any("$(if $(TAKE),take,list)" in line for line in lines), "make snapshots chooses its command by TAKE"
    run = [line.replace("$(if $(TAKE),take,list)", "list").split() for line in lines]
    assert len(run) > 15, run
    for words in run:
        named = tuple(takewhile(re.compile("[a-z][a-z-]*").fullmatch, words))
        assert named in known, f"make runs {' '.join(named)}, which vet does not have"


def test_completion_knows_environments_roles_and_steps() -> None:
    names = {path.stem for path in ENVIRONMENTS.glob("[!_]*.yaml")}
    assert completed("vet env deploy ") == names
    assert completed("vet env deploy p") == {"prod"}
    assert completed("vet cluster kubeconfig dev --role ") == {"admin", "deploy", "person", "read"}
    assert {"state", "etcd"} <= completed("vet drill ")


def test_completion_of_snapshots_asks_for_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def stored(cluster: Any) -> list[snapshots.Snapshot]:
        asked.append(cluster.environment.name)
        return [snapshots.Snapshot(name, TAKEN, 1) for name in ("hourly-1", "before-upgrade")]

    monkeypatch.setattr(snapshots, "snapshots", stored)
    result = runner.invoke(
        app, env={**COMPLETE, "COMP_WORDS": "vet cluster restore dev h", "COMP_CWORD": "4"}, prog_name="vet"
    )
    assert asked == ["dev"], result.output
    assert result.output.split() == ["hourly-1"]


def test_completion_stays_silent_where_aws_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise Failure("no answer")

    monkeypatch.setattr(snapshots, "snapshots", refuse)
    result = runner.invoke(
        app, env={**COMPLETE, "COMP_WORDS": "vet cluster restore dev ", "COMP_CWORD": "4"}, prog_name="vet"
    )
    assert (result.exit_code, result.output.strip()) == (0, "")


def test_no_colour_and_no_question_reach_a_pipe() -> None:
    clean = dict.fromkeys(("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"), "")
    for words in ([], ["--help"], ["env", "--help"], ["env", "deploy"], ["env", "list"]):
        answer = vet(*words, **clean)
        assert "\x1b" not in answer.stdout + answer.stderr, words


def test_exit_statuses_are_those_of_the_page() -> None:
    assert vet("env", "list").returncode == 0
    wrong = vet("env", "plan", "nowhere")
    assert wrong.returncode == 1, wrong
    assert "Traceback" not in wrong.stderr
    assert vet("env", "deploy").returncode == 2
    assert vet("no-such-command").returncode == 2
    assert set(EXIT_CODES) == {0, 1, 2, DIFFERENT, INTERRUPTED}


@pytest.mark.parametrize(("differs", "status"), [(True, DIFFERENT), (False, 0)])
def test_a_drift_has_a_status_that_no_other_outcome_has(
    differs: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.deployment.review.drift", lambda *, markdown: differs)
    assert runner.invoke(app, ["drift"]).exit_code == status
    assert DIFFERENT not in (0, 1, 2, INTERRUPTED)


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_ctrl_c_says_what_was_left_and_how_to_go_on(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    modules = [module for name, module in sys.modules.items() if name.startswith("operations.cli.")]
    for module in (module for module in modules if hasattr(module, "run")):  # of all modules: nothing may really run
        monkeypatch.setattr(module, "run", lambda _, *, stopped="nothing was changed": texts.append(stopped))
    (command,) = [command for path, command in commands() if path == words]
    needed = ["prod" for parameter in command.params if parameter.required]
    result = runner.invoke(app, [*words, *needed])
    assert result.exit_code == 0, result.output
    (text,) = texts
    if {"yes", "dry_run"} & {parameter.name for parameter in command.params}:
        assert re.search(r"vet [a-z]|same command", text), f"vet {' '.join(words)} does not say how to go on: {text!r}"


def test_an_interrupted_command_ends_with_the_status_of_the_page(tmp_path: Path) -> None:
    program = """
import time
from pathlib import Path
from operations.cli import main
from operations.cluster import snapshots
def wait(*_): Path({began!r}).touch(); time.sleep(60)
snapshots.take = wait
import sys; sys.argv = ["vet", "cluster", "snapshots", "take", "dev", "now"]
main()
"""
    began = tmp_path / "began"
    process = subprocess.Popen(
        [sys.executable, "-c", program.format(began=str(began))],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not began.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED, text
    assert "vet cluster snapshots list dev" in text


def test_findings_and_environments_are_json_for_a_machine(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import json

    names = [each["name"] for each in json.loads(vet("env", "list", "--json").stdout)]
    assert {"dev", "prod"} <= set(names)
    monkeypatch.setattr(doctor, "CHECKS", (lambda _: iter([doctor.Finding("dns", "fails", "no answer", "wait")]),))
    assert doctor.run("dev", as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"what": "dns", "verdict": "fails", "text": "no answer", "remedy": "wait"}
    ]
