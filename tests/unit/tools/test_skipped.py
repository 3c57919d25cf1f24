"""What make test says at its end."""

from pathlib import Path

import pytest

from tests.architecture import proofs, unproven
from tests.skipped import SEPARATE, show

REPORT = """<testsuites><testsuite>
<testcase name="a"><skipped type="pytest.skip" message="needs Helm 3: put helm on PATH">x</skipped></testcase>
<testcase name="b"><skipped type="pytest.skip" message="needs Helm 3: put helm on PATH">x</skipped></testcase>
<testcase name="c"/>
</testsuite></testsuites>"""


def test_every_reason_is_told_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "unit.xml").write_text(REPORT)
    (tmp_path / "application.txt").write_text("\n  - PostgreSQL with python3: no server. apt-get install postgresql\n")
    show(tmp_path)
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("2 tests") and line.endswith("needs Helm 3: put helm on PATH") for line in said), said
    assert any("PostgreSQL with python3" in line and "apt-get install postgresql" in line for line in said), said
    for remedy in SEPARATE.values():
        assert any(remedy in line for line in said), f"{remedy!r} is not told: {said}"


def test_every_target_that_is_named_exists() -> None:
    makefile = (Path(__file__).parents[3] / "Makefile").read_text()
    for remedy in SEPARATE.values():
        target = remedy.removeprefix("make ").split(",")[0]
        assert f"\n{target}:" in makefile, f"make has no target {target}"


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
        said = capsys.readouterr().out
        assert (f"not proven here: {line}" in said) is named, f"{outcome or 'passed'}: {said}"
