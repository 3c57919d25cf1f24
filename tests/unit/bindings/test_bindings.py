"""The levers of ``bindings/``: they change no byte, they work, and they let go where something is not as they know it."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

import bindings
from bindings import modules
from settings.loader import ENVIRONMENTS

REPOSITORY = Path(bindings.__file__).parent.parent

SYNTHESISE = "import sys, main; main.synthesise(outdir=sys.argv[1])"


def _python(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python of its own: levers act on a whole process."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NODE_OPTIONS", "JSII_NODE")}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, env={**inherited, **variables}, capture_output=True, text=True, check=False
    )


def _synthesised(folder: Path, **variables: str) -> dict[str, str]:
    """Checksums of what a synth wrote, by file."""
    done = _python(SYNTHESISE, str(folder), **variables)
    assert done.returncode == 0, done.stderr
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_no_byte_is_changed(tmp_path: Path) -> None:
    fast = _synthesised(tmp_path / "fast")
    stacks = [file for file in fast if file.endswith("cdk.tf.json")]
    assert len(stacks) == 1 + 2 * len([*ENVIRONMENTS.glob("[!_]*.yaml")]), stacks
    assert fast == _synthesised(tmp_path / "plain", VET_PLAIN_BINDINGS="1")


def test_only_what_is_used_is_loaded_and_jsii_is_one_process(tmp_path: Path) -> None:
    program = f"""if True:
        {SYNTHESISE}
        from psutil import Process
        found = [name for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")]
        executed = [name for name in {modules.PROVIDERS} if hasattr(sys.modules[name], "__all__")]
        print(len(found), len(Process().children(recursive=True)), executed)
    """
    done = _python(program, str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    imported, processes, executed = done.stdout.split(maxsplit=2)
    assert 50 < int(imported) < 200, f"{imported} of the AWS provider's 2,212 modules"
    assert processes == "1", f"jsii runs in {processes} processes"
    assert executed.strip() == "[]", f"roots that were executed: {executed}"


def test_a_module_is_imported_as_usual_where_its_lean_bytecode_can_neither_be_found_nor_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "cdktf_cdktf_provider_aws.xray_group"  # none of ours uses it
    path = [str(Path(modules.__file__).parent.parent / ".venv")]  # nothing there
    assert modules.LeanFinder.find_spec(name, path) is None
    package = sys.modules["cdktf_cdktf_provider_aws"].__path__
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept = modules.LeanFinder.find_spec(name, package)
    assert kept is not None
    assert isinstance(kept.loader, modules.LeanLoader), kept
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert modules.LeanFinder.find_spec(name, package) is None


def test_other_modules_are_not_touched() -> None:
    assert modules.LeanFinder.find_spec("yaml") is None
    assert modules.lean("/x/__pycache__/a.cpython-311.pyc") == "/x/__pycache__/a.cpython-311.opt-bare.pyc"
    assert modules.lean("/x/a.py") == "/x/a.py"


def test_what_javascript_prints_arrives(tmp_path: Path) -> None:
    talkative = tmp_path / "talkative.cjs"
    talkative.write_text("process.on('exit', () => { console.log('said it'); console.error('and complained'); });")
    program = "import bindings; bindings.enable(); import cdktf; cdktf.Fn.abs(1)"
    done = _python(program, NODE_OPTIONS=f"--require {talkative}")
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("said it\n", "and complained\n")


def test_a_package_that_cannot_be_loaded_is_an_error_at_the_next_message(tmp_path: Path) -> None:
    program = f"""if True:
        import bindings; bindings.enable()
        import jsii, cdktf
        jsii.load("missing", "1.0.0", "{tmp_path}/missing.tgz")
        try:
            cdktf.App()
        except Exception as error:
            print(type(error).__name__, error)
    """
    done = _python(program)
    assert "missing.tgz" in done.stdout, done.stdout + done.stderr


def test_a_node_that_somebody_chose_is_kept_and_gets_no_option_that_it_may_not_know() -> None:
    program = "import bindings, os; bindings.enable(); print(os.environ['JSII_NODE'], os.environ['NODE_OPTIONS'])"
    done = _python(program, JSII_NODE="/their/node", NODE_OPTIONS="--trace-warnings")
    assert done.stdout.startswith("/their/node --trace-warnings --require "), done.stdout + done.stderr
    assert "semi-space" not in done.stdout, done.stdout


def test_plain_bindings_leave_everything_alone() -> None:
    program = (
        "import bindings, os, sys; bindings.enable(); print(os.environ.get('NODE_OPTIONS'), 'jsii' in sys.modules)"
    )
    done = _python(program, VET_PLAIN_BINDINGS="1")
    assert done.stdout == "None False\n", done.stdout + done.stderr


def test_the_first_run_ends_when_jsiis_indexes_are_written(tmp_path: Path) -> None:
    program = "import bindings; bindings.enable(); import cdktf_cdktf_provider_kubernetes.config_map_v1, cdktf; cdktf.Fn.abs(1)"
    done = _python(program, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(tmp_path))
    assert done.returncode == 0, done.stderr
    indexed = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob(".jsii.runtime.v*.json")}
    assert indexed == {"@cdktf", "cdktf", "constructs"}, f"{indexed} are indexed; {done.stderr}"
    assert "jsii writes an index" in done.stderr, done.stderr
    again = _python(program, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(tmp_path))
    assert again.stderr == "", again.stderr
