"""What the optimizations do, each by itself."""

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path

from packages.quick_bindings import classes, modules, node
from packages.quick_bindings.tests.programs import KEPT, enabled, on_a_stack, python


def _ran(program: str, tmp_path: Path, keep: Path = KEPT) -> str:
    """What a program on an empty stack printed."""
    return on_a_stack(program, tmp_path / "out", keep)[0]


def test_other_modules_are_not_touched() -> None:
    assert modules.LeanFinder(["cdktf"]).find_spec("yaml") is None
    assert modules.lean("/x/__pycache__/a.cpython-311.pyc") == "/x/__pycache__/a.cpython-311.opt-lean.pyc"
    assert modules.lean("/x/a.py") == "/x/a.py"


def test_what_javascript_prints_arrives(tmp_path: Path) -> None:
    talkative = tmp_path / "talkative.cjs"
    talkative.write_text("process.on('exit', () => { console.log('said it'); console.error('and complained'); });")
    program = enabled() + "import cdktf; cdktf.Fn.abs(1)"
    done = python(program, NODE_OPTIONS=f"--require {talkative}")
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("said it\n", "and complained\n")


def test_a_package_that_cannot_be_loaded_is_an_error_at_the_next_message(tmp_path: Path) -> None:
    program = (
        enabled()
        + f"""if True:
        import jsii, cdktf
        jsii.load("missing", "1.0.0", "{tmp_path}/missing.tgz")
        try:
            cdktf.App()
        except Exception as error:
            print(type(error).__name__, error)
    """
    )
    done = python(program)
    assert "missing.tgz" in done.stdout, done.stdout + done.stderr


def test_the_first_run_ends_when_jsiis_indexes_are_written(tmp_path: Path) -> None:
    program = enabled() + "import cdktf_cdktf_provider_kubernetes.config_map_v1, cdktf; cdktf.Fn.abs(1)"
    done = python(program, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(tmp_path))
    assert done.returncode == 0, done.stderr
    indexed = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob(".jsii.runtime.v*.json")}
    assert indexed == {"@cdktf", "cdktf", "constructs"}, f"{indexed} are indexed; {done.stderr}"
    assert "jsii writes an index" in done.stderr, done.stderr
    again = python(program, JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(tmp_path))
    assert again.stderr == "", again.stderr


def test_jsii_may_be_told_to_keep_nothing() -> None:
    program = enabled(start=True) + "import cdktf; print(cdktf.Fn.abs(-1) != 0)"
    for _ in range(2):
        done = python(program, JSII_RUNTIME_PACKAGE_CACHE="disabled")
        assert done.stdout == "True\n", done.stdout + done.stderr


def test_classes_are_made_when_they_are_asked_for() -> None:
    program = (
        enabled()
        + """if True:
        import cdktf_cdktf_provider_kubernetes.deployment_v1 as module
        from packages.quick_bindings import classes
        later = next(names.later for names in classes._modules if names["__name__"] == module.__name__)
        made = [name for name in module.__all__ if name not in later]
        spec = module.DeploymentV1Spec
        print(made, "DeploymentV1Spec" in later, len(later) > 400, spec is module.DeploymentV1Spec, hasattr(module, "Nothing"))
        exec(f"from {module.__name__} import *")
        print(sorted(later.keys() & set(module.__all__)))
    """
    )
    done = python(program)
    assert done.stdout == "[] False True True False\n[]\n", done.stdout + done.stderr


def test_a_class_that_is_not_made_yet_is_among_the_names_of_its_module() -> None:
    """Python 3.14 evaluates an annotation that is one name by ``in``, which asks no ``__missing__``."""
    names = classes.Names({classes.LATER: {"Made": b""}, "made": 1})
    assert [name in names for name in ("Made", "made", "Unknown")] == [True, True, False]
    assert dict.keys(names) == {classes.LATER, "made"}, "looking made it"


def test_an_object_may_come_whose_class_is_not_made_yet(tmp_path: Path) -> None:
    program = """
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1
from packages.quick_bindings import classes
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
    output = _ran(program, tmp_path)
    assert output.startswith("on\nRuntimeError There is already a Construct with name 'one'"), output
    assert output.endswith("(A hint.)"), output


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
from packages.quick_bindings.kernel import PipelinedProcess
send, asked = PipelinedProcess._send, []
def counting(self, message):
    if message["api"] == "get":
        asked.append(message["property"])
    send(self, message)
PipelinedProcess._send = counting
bucket = S3Bucket(stack, "bucket", bucket="one")
first = [bucket.arn, bucket.arn, bucket.bucket_input, bucket.bucket_input]
bucket.bucket = "two"
print(first[0] == first[1], first[2:], bucket.bucket_input, bucket.arn.startswith("${"), asked)
"""
    expected = "True ['one', 'one'] two True ['arn', 'bucketInput', 'bucketInput', 'bucketInput', 'arn']"
    assert _ran(program, tmp_path) == expected


def test_the_list_of_files_is_what_the_last_run_used(tmp_path: Path) -> None:
    _ran('S3Bucket(stack, "bucket"); app.synth()', tmp_path, tmp_path)
    used = json.loads((tmp_path / "used.json").read_text())
    assert [Path(file).parent.name for file in used] == ["provider", "s3-bucket"]


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
    archive, cache = tmp_path / "some.jsii.tgz", tmp_path / "digests.json"
    node.name()

    def run() -> str:
        command = [
            os.environ["JSII_NODE"],
            "-e",
            program,
            str(Path(node.__file__).with_name("lean.cjs")),
            str(cache),
            str(archive),
        ]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def reads(first: int, second: int) -> str:
        digest = sha256(archive.read_bytes()).hexdigest()
        return f'[[{first},"{digest}"],[{second},"{digest}"]]'

    archive.write_text("a package")
    assert run() == reads(9, 9)
    assert run() == reads(0, 9), "read at once, as if jsii had only looked for the digest, and then to unpack it"
    archive.write_text("another package")
    assert run() == reads(15, 15)
