"""What make test says at its end."""

from pathlib import Path

import pytest

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
