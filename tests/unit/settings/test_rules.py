"""Every rule and warning, broken in real files: ``rules.yaml`` says how, and every word of what must be said."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.problems import STALE
from settings.rules import COMPARISONS, ERRORS, PROJECT_ERRORS, WARNINGS
from tests.unit.settings.conftest import Files

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text())


def names(kind: str) -> list[str]:
    return [case[kind] for case in CASES if kind in case]


def break_settings(files: Files, case: dict[str, Any]) -> None:
    for file, replacements in case.get("edit", {}).items():
        for old, new in replacements.items():
            files.replace(file, old, new)
    for old, new in case.get("rename", {}).items():
        (files.folder / old).rename(files.folder / new)


@pytest.mark.parametrize("case", [case for case in CASES if "rule" in case], ids=names("rule"))
def test_a_broken_rule_is_explained(files: Files, case: dict[str, Any]) -> None:
    break_settings(files, case)
    text = "\n\n".join(map(str, files.problems()))
    assert text == case["says"].strip()


@pytest.mark.parametrize("case", [case for case in CASES if "warning" in case], ids=names("warning"))
def test_a_warning_is_explained(files: Files, case: dict[str, Any]) -> None:
    break_settings(files, case)
    warnings = [warning for warning in files.load().warnings if not warning.acknowledged]
    assert "\n\n".join(map(str, warnings)) == case["says"].strip()
    assert {warning.code for warning in warnings} == {case["warning"].replace("_", "-")}


def test_every_rule_is_tried() -> None:
    rules = {rule.__name__ for rule in (*ERRORS, *PROJECT_ERRORS, *COMPARISONS)}
    assert rules == set(names("rule")), "rules.yaml must break each rule at least once, and nothing else"
    assert {*WARNINGS, STALE} == {name.replace("_", "-") for name in names("warning")}


def test_every_rule_states_what_must_hold() -> None:
    rules = (*ERRORS, *PROJECT_ERRORS, *COMPARISONS, *WARNINGS.values())
    assert [rule.__name__ for rule in rules if not (rule.__doc__ or "").strip()] == []
