"""One trial: settings with mistakes are refused in a way that helps, or accepted and then AWS takes what comes out."""

import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import main
from settings import SettingsError, load
from settings.documents import merged
from settings.loader import ENVIRONMENTS
from tests.fuzz import mistakes
from tests.policy import aws

MOST_CHARACTERS = 20_000
MOST_SECONDS = 2.0
"""An answer about settings comes within this, on a machine that does nothing else; a hang is ten times as much."""

ODDS_OF_PROJECT = 0.15


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    :param fault: what is wrong with the answer; empty if nothing is wrong.
    """

    seed: int
    changed: list[dict[str, Any]]
    accepted: bool
    fault: str = ""

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.fault}\n  with {self.changed}"


def trial(seed: int, *, synthesise: bool) -> Outcome:
    """Change some settings of dev or of the project, and look at the answer.

    :param synthesise: whether accepted settings are synthesised and judged by AWS's constraints.
    """
    chance = random.Random(seed)
    project = chance.random() < ODDS_OF_PROJECT
    changed = list(mistakes.changes(chance, mistakes.PROJECT if project else mistakes.ENVIRONMENT))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "environments"
        shutil.copytree(ENVIRONMENTS, folder)
        file = folder / ("_project.yaml" if project else "dev.yaml")
        document = yaml.safe_load(file.read_text())
        for change in changed:
            document = merged(document, change)
        file.write_text(yaml.safe_dump(document, allow_unicode=True))
        start = time.monotonic()
        try:
            settings = load(folder)
        except SettingsError as refused:
            return Outcome(seed, changed, False, _unhelpful(refused, time.monotonic() - start))
        except Exception as error:
            return Outcome(seed, changed, False, f"ended with {type(error).__name__}: {str(error)[:200]}")
        return Outcome(seed, changed, True, _refused_later(settings, Path(temporary)) if synthesise else "")


def _unhelpful(refused: SettingsError, seconds: float) -> str:
    text = str(refused)
    if len(text) > MOST_CHARACTERS:
        return f"an answer of {len(text)} characters"
    if seconds > 10 * MOST_SECONDS:
        return f"an answer after {seconds:.0f} s"
    if any(not letter.isprintable() and letter != "\n" for letter in text):
        return "an answer with invisible characters"
    for problem in refused.problems:
        if not (problem.file and problem.line >= 1 and problem.rule and problem.remedy):
            return f"an answer without place, rule or remedy: {problem}"
    return ""


def _refused_later(settings: Any, folder: Path) -> str:
    try:
        main.build_app(settings, outdir=str(folder / "out")).synth()
    except Exception as error:
        return f"accepted, and synth ended with {type(error).__name__}: {str(error)[:300]}"
    wrong = aws.judge(aws.read(sorted((folder / "out/stacks").iterdir())))
    return f"accepted, and AWS would refuse: {wrong[0]}" if wrong else ""
