"""What make test says at its end."""

import re
from pathlib import Path

import pytest

from operations.pipeline.description import SUITES
from tests.architecture import proofs, unproven
from tests.skipped import SEPARATE, show

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()

REPORT = """<testsuites><testsuite>
<testcase name="a"><skipped type="pytest.skip" message="needs Helm 3: put helm on PATH">x</skipped></testcase>
<testcase name="b"><skipped type="pytest.skip" message="needs Helm 3: put helm on PATH">x</skipped></testcase>
<testcase name="c"/>
</testsuite></testsuites>"""


def test_every_reason_is_told_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "unit.xml").write_text(REPORT)
    (tmp_path / "application.txt").write_text("\n  - PostgreSQL with python3: no server. apt-get install postgresql\n")
    show(tmp_path)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("2 tests") and line.endswith("needs Helm 3: put helm on PATH") for line in lines), lines
    assert any("PostgreSQL with python3" in line and "apt-get install postgresql" in line for line in lines), lines
    for remedy in SEPARATE.values():
        assert any(remedy in line for line in lines), f"{remedy!r} is not told: {lines}"


def test_every_target_that_is_named_exists() -> None:
    for remedy in SEPARATE.values():
        for folder, target in re.findall(r"make (?:-C (\S+) )?([a-z-]+)", remedy):
            makefile = (ROOT / folder / "Makefile").read_text()
            assert re.search(rf"^{target}[: ]", makefile, re.MULTILINE), f"{folder or 'make'} has no target {target}"


def test_a_line_is_without_proof_when_all_its_tests_were_skipped_and_not_before() -> None:
    line, tests = max(proofs(), key=lambda proof: len(proof[1]))
    assert len(tests) > 1, "no line has two tests: the case of one that is skipped cannot be looked at"
    cases = [f"{test}[{parameter}]" for test in tests for parameter in ("dev", "prod")]
    assert line in unproven([], cases)
    assert line not in unproven([cases[0]], cases[1:]), "one case of one test has looked"
    assert line not in unproven([], cases[:-2]), "a test that was not asked for was not skipped"
    assert not unproven(cases, [])


def test_the_end_of_make_test_names_the_lines_that_were_not_proven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line, (test, *_) = next(proof for proof in proofs() if len(proof[1]) == 1)
    module, name = test.split("::")
    case = f'<testcase classname="{module.removesuffix(".py").replace("/", ".")}" name="{name}[dev]">%s</testcase>'
    report = tmp_path / "unit.xml"
    for outcome, named in (('<skipped message="needs charts"/>', True), ("", False)):
        report.write_text(f"<testsuites><testsuite>{case % outcome}</testsuite></testsuites>")
        show(tmp_path)
        output = capsys.readouterr().out
        assert (f"not proven here: {line}" in output) is named, f"{outcome or 'passed'}: {output}"


NOT_A_SUITE = {"test-all", "test-changed", "test-levers"}
"""Others' names, and what chooses among them."""

OF_MAKE_TEST = {"test-unit", "test-app"}


def test_every_suite_runs_at_night_or_is_named_as_separate() -> None:
    """A target that neither a workflow runs nor the end of `make test` names is forgotten."""
    targets = set(re.findall(r"^(test-[a-z]+)(?= [a-z-]+:|:)", MAKEFILE, re.MULTILINE)) - NOT_A_SUITE
    named = {target for remedy in SEPARATE.values() for target in re.findall(r"make (test-[a-z]+)", remedy)}
    nightly = {
        target
        for _, lines, _ in SUITES.values()
        for line in lines
        for target in re.findall(r"make (test-[a-z]+)", line)
    }
    assert {"test-boot", "test-year"} <= targets, targets
    assert targets - OF_MAKE_TEST == named, "tests/skipped.py, SEPARATE"
    assert targets - OF_MAKE_TEST - nightly == {"test-platform", "test-pods", "test-upgrade", "test-contributing"}, (
        "operations/pipeline/description.py, SUITES: what needs no cluster runs at night"
    )


def test_a_nightly_suite_has_thrice_the_time_that_it_takes() -> None:
    limits = dict(re.findall(r"`make (test-[a-z]+)` \|[^|]+\| (\d+) min \|", (ROOT / "tests/README.md").read_text()))
    assert {"test-boot", "test-apply"} <= limits.keys(), limits
    for name, (_, _, minutes) in SUITES.items():
        if takes := limits.get(f"test-{name}"):
            assert minutes >= 3 * int(takes), f"test-{name} takes {takes} minutes and is stopped after {minutes}"
