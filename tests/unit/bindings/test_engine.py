"""Which engine is taken, and one name that reaches another package's modules."""

import subprocess
import sys
from pathlib import Path

import pytest

from bindings import engine

REPOSITORY = Path(engine.__file__).parent.parent


def _python(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
    )


def test_a_module_has_one_identity_under_both_names() -> None:
    done = _python("""if True:
        import sys
        from bindings.engine import OtherName
        sys.meta_path.insert(0, OtherName({"other": "xml"}))
        from other.dom import minidom
        import other.sax, xml, xml.dom.minidom, xml.sax
        assert other is xml and other.sax is xml.sax and minidom is xml.dom.minidom
        assert xml.dom.minidom.__name__ == "xml.dom.minidom", xml.dom.minidom.__name__
        try:
            import other.missing
        except ModuleNotFoundError as error:
            print(error)
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "No module named 'xml.missing'\n", "the error names the package that is asked"


def test_without_a_choice_the_engine_is_the_one_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    for installed, name in (
        ({"cdktf", "cdktn"}, "cdktf"),
        ({"cdktf"}, "cdktf"),
        ({"cdktn"}, "cdktn"),
        (set(), "cdktf"),
    ):
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda package, installed=installed: package in installed or None
        )
        assert engine.chosen().core == name, f"installed: {installed}"


def test_a_choice_counts_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in engine.ENGINES:
        monkeypatch.setenv(engine.VARIABLE, name)
        assert engine.chosen().core == name


def test_an_engine_that_does_not_exist_is_told_in_one_sentence() -> None:
    done = _python("import bindings; bindings.enable()", VET_CDK="pulumi")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in ("VET_CDK=pulumi", "cdktf", "cdktn"):
        assert word in done.stderr


def test_with_the_engine_of_the_source_no_import_is_changed() -> None:
    done = _python("import sys, bindings; bindings.enable(); print([type(each).__name__ for each in sys.meta_path])")
    assert "OtherName" not in done.stdout, done.stdout + done.stderr
