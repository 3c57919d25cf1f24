"""Each optimization, broken on purpose: one warning with the cause, and what jsii writes by itself, byte for byte."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from packages.quick_bindings import NAMES, optimizations
from packages.quick_bindings.tests.programs import digests, on_a_stack, python

PROGRAM = """
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1
from cdktf_cdktf_provider_kubernetes.provider import KubernetesProvider
KubernetesProvider(stack, "kubernetes")
bucket = S3Bucket(stack, "bucket", bucket="one", tags={"Name": "one"})
ConfigMapV1(stack, "map", metadata={"name": "one"}, data={"bucket": bucket.arn, "again": bucket.arn})
app.synth()
"""

FAILS = "def fails(*arguments, **named): raise RuntimeError('broken on purpose')\n"
FRESH = "from packages.quick_bindings import classes, modules; modules.TAG = 'opt-broken'; import sys\n"
"""Bytecode of its own, of which none is kept; what uses this must not come to the point where some is."""

IN_PYTHON = {
    "roots": FAILS + "from packages.quick_bindings import roots; roots.leave_unexecuted = fails",
    "classes": FAILS + "from jsii import _reference_map; _reference_map._try_import_type_module, was = None, _reference_map._try_import_type_module\n"
    "from packages.quick_bindings import classes; _reference_map._try_import_type_module = was; classes._original = None",
    "process": FAILS + "from packages.quick_bindings import node; node.start = fails",
    "ahead": FAILS + "from packages.quick_bindings import kernel; kernel.start = fails",
}  # fmt: skip
"""What breaks an optimization of Python's, before it is enabled."""

ONLY_THERE = "const was = Module._load; Module._load = (file, ...rest) => { if (FILE.test(file)) throw new Error('broken on purpose'); return was(file, ...rest); };"
IN_NODE = {
    "lazy": "const was = fs.existsSync; fs.existsSync = (file) => { if (/lazy-index/.test(file)) throw new Error('broken on purpose'); return was(file); };",
    "compiled": "Module.enableCompileCache = () => { throw new Error('broken on purpose'); };",
    "definitions": "Object.defineProperty(fs, 'readFileSync', { value: fs.readFileSync, writable: false });",
    "maps": "Object.defineProperty(Module.prototype, '_compile', { value: Module.prototype._compile, writable: false });",
    "digests": "Object.defineProperty(require('crypto'), 'createHash', { value: require('crypto').createHash, writable: false });",
    "traces": ONLY_THERE.replace("FILE", r"/[\\/].*private[\\/]stack-trace\.js$/"),
}
"""What breaks an optimization of Node's, before it is preloaded."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What jsii writes by itself."""
    out = tmp_path_factory.mktemp("plain") / "out"
    on_a_stack(PROGRAM, out, QUICK_BINDINGS_WITHOUT=",".join(NAMES))
    return digests(out)


def _expect_one_warning(stderr: str, name: str) -> None:
    warnings = [line for line in stderr.splitlines() if f"{name} is off" in line]
    assert len(warnings) == 1, stderr
    others = [other for other in NAMES if other != name and f"{other} is off" in stderr]
    assert not others, f"{others} are off as well: {stderr}"


@pytest.mark.parametrize("name", IN_PYTHON)
def test_an_optimization_that_python_cannot_take_is_left(name: str, plain: Mapping[str, str], tmp_path: Path) -> None:
    _, stderr = on_a_stack(PROGRAM, tmp_path / "out", first=IN_PYTHON[name] + "\n")
    _expect_one_warning(stderr, name)
    assert digests(tmp_path / "out") == plain


@pytest.mark.parametrize("name", IN_NODE)
def test_an_optimization_that_node_cannot_take_is_left(name: str, plain: Mapping[str, str], tmp_path: Path) -> None:
    breaking = tmp_path / "breaking.cjs"
    breaking.write_text(f"const fs = require('fs'), Module = require('module');\n{IN_NODE[name]}\n")
    _, stderr = on_a_stack(PROGRAM, tmp_path / "out", tmp_path / "keep", NODE_OPTIONS=f"--require {breaking}")
    _expect_one_warning(stderr, name)
    assert "broken on purpose" in stderr or "read only" in stderr, stderr
    assert digests(tmp_path / "out") == plain


@pytest.mark.parametrize(
    ("first", "cause"),
    [
        (FAILS + FRESH + "classes.compile_lazily = fails\n", "broken on purpose"),
        (FAILS + "from packages.quick_bindings import classes; classes.execute = fails\n", "broken on purpose"),
        (FRESH + "sys.dont_write_bytecode = True\n", "PYTHONDONTWRITEBYTECODE"),
        (FRESH + "import os; os.access = lambda *arguments: False\n", "cannot be written"),
    ],
)
def test_modules_are_loaded_as_usual_where_lean_ones_cannot_be(
    first: str, cause: str, plain: Mapping[str, str], tmp_path: Path
) -> None:
    _, stderr = on_a_stack(PROGRAM, tmp_path / "out", first=first)
    _expect_one_warning(stderr, "classes")
    assert cause in stderr, stderr
    assert digests(tmp_path / "out") == plain


@pytest.mark.parametrize("name", ["digests", "used"])
def test_what_was_kept_may_be_damaged(name: str, plain: Mapping[str, str], tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / f"{name}.json").write_text('{"half')
    _, stderr = on_a_stack(PROGRAM, tmp_path / "out", keep)
    _expect_one_warning(stderr, name)
    assert digests(tmp_path / "out") == plain


def test_nothing_may_be_kept_at_all(plain: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("a file where the folder would be")
    _, stderr = on_a_stack(PROGRAM, tmp_path / "out", tmp_path / "keep")
    assert stderr.count("compiled is off") == 1, stderr
    assert digests(tmp_path / "out") == plain


def test_an_optimization_that_is_left_out_by_name_says_nothing(plain: Mapping[str, str], tmp_path: Path) -> None:
    for name in ("classes", "ahead", "lazy"):
        _, stderr = on_a_stack(PROGRAM, tmp_path / name, QUICK_BINDINGS_WITHOUT=name)
        assert stderr == "", stderr
        assert digests(tmp_path / name) == plain
    done = python(
        "from packages.quick_bindings import optimizations; optimizations.left_out()", QUICK_BINDINGS_WITHOUT="maps,map"
    )
    assert "no optimization is called map; there are" in done.stderr, done.stderr


def test_the_readme_speaks_of_every_optimization() -> None:
    text = (Path(optimizations.__file__).parent / "README.md").read_text()
    assert not (missing := [name for name in NAMES if f"| {name} |" not in text]), missing


def test_every_optimization_is_broken_once_here() -> None:
    assert {*IN_PYTHON} == {*optimizations.IN_PYTHON}
    assert {*IN_NODE, "used"} == {*optimizations.IN_NODE}
