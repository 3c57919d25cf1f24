"""``make test CHANGED=yes``: lint and the tests that a change touches. What it leaves out, ``make test`` runs.

A test file is chosen when it, or a module that it imports, directly or not, has changed. What is no Python is mapped by hand below;
a file that nothing maps chooses every test.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAIN = ("origin/main", "main")

READ_BY = {
    "environments/": ("tests/unit",),
    "helm-values/": ("tests/unit/releases", "tests/unit/stacks", "tests/unit/platform"),
    "nodes/": ("tests/unit/nodes", "tests/unit/stacks", "tests/unit/operations/test_hostile_names.py"),
    "settings/": ("tests/unit/settings", "tests/unit/releases", "tests/unit/stacks", "tests/unit/operations"),
    "modules/": ("tests/unit/stacks", "tests/unit/platform", "tests/unit/releases"),
    "operations/pipeline/": ("tests/unit/test_workflows.py",),
    "operations/": ("tests/unit/operations",),
    "bindings/": ("tests/unit/bindings",),
    "packages/": ("packages", "tests/unit/bindings"),
    "scripts/": ("tests/unit/tools",),
    "tests/unit/": (),
    "tests/policy/": ("tests/unit/tools", "tests/unit/stacks"),
    "tests/rights/": ("tests/unit/rights",),
    "tests/snapshot/": ("tests/unit/stacks/test_snapshot.py",),
    "tests/": ("tests/unit/test_runbooks.py", "tests/unit/stacks/test_architecture.py"),
    "docs/library.md": ("tests/unit/library", "tests/unit/test_docs.py", "tests/unit/test_words.py"),
    "docs/library.txt": ("tests/unit/library",),
    "docs/": ("tests/unit/test_docs.py", "tests/unit/test_words.py", "tests/unit/test_runbooks.py", "tests/unit/stacks/test_architecture.py"),
    ".github/": ("tests/unit/test_workflows.py",),
    ".devcontainer/": (),
    "examples/gitlab/": ("tests/unit/test_workflows.py",),
    "examples/": ("tests/unit/library",),
    "vet_app/": (),
    "Makefile": ("tests/unit/tools", "tests/unit/test_runbooks.py", "tests/unit/test_docs.py"),
    "Pipfile": ("tests/unit/tools",),
    "renovate.json": ("tests/unit/tools/test_renovate.py",),
    "README.md": ("tests/unit/test_docs.py", "tests/unit/test_words.py", "tests/unit/test_runbooks.py", "tests/unit/settings"),
    "CONTRIBUTING.md": ("tests/unit/test_docs.py", "tests/unit/test_words.py"),
    "CHANGELOG.md": ("tests/unit/test_docs.py", "tests/unit/test_words.py"),
}  # fmt: skip
"""Which tests read files that are no Python, by the beginning of their path; the first that fits counts."""

BESIDES = {
    "nodes/": "make test-boot",
    "modules/": "make test-apply",
    "stacks/": "make test-apply",
    "operations/pipeline/": "make test-pipeline",
    "CONTRIBUTING.md": "make test-contributing",
}
"""Suites that take longer, and are worth it after a change there."""


def files() -> list[str]:
    """Paths that differ from the main branch, those that are not committed included."""
    base = next((name for name in MAIN if _git("rev-parse", "--verify", "--quiet", name)), "HEAD")
    since = _git("merge-base", base, "HEAD").strip()
    listed = _git("diff", "--name-only", since) + _git("ls-files", "--others", "--exclude-standard")
    return sorted(set(listed.splitlines()))


def chosen(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """The test files, and folders of test files, that a change touches; the whole of ``tests/unit`` if that is not known."""
    changed = set(changed)
    tests: set[str] = set()
    for path in sorted(changed):
        if not path.endswith(".py"):
            tests.update(next((place for start, place in READ_BY.items() if path.startswith(start)), ("tests/unit",)))
    for test in sorted((root / "tests/unit").rglob("test_*.py")):
        if changed & reached(test, root):
            tests.add(str(test.relative_to(root)))
    return sorted(test for test in tests if not any(test.startswith(f"{other}/") for other in tests))


@cache
def reached(file: Path, root: Path) -> frozenset[str]:
    """Paths of a file, of all that it imports, and of the fixtures that it may use."""
    paths, waiting = set(), [file, *(parent / "conftest.py" for parent in file.parents if parent.is_relative_to(root))]
    while waiting:
        path = waiting.pop()
        name = str(path.relative_to(root))
        if name not in paths and path.exists():
            paths.add(name)
            waiting.extend(_imported(path, root))
    return frozenset(paths)


@cache
def _imported(file: Path, root: Path) -> tuple[Path, ...]:
    """Files of the project that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return tuple(_files(names, root))


def _files(names: Iterable[str], root: Path) -> Iterator[Path]:
    for name in sorted(names):
        path = root.joinpath(*name.split("."))
        yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.exists())


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout


def _run(*words: str) -> bool:
    print(f"\n{' '.join(words)[:200]}", flush=True)
    return subprocess.run(words, cwd=ROOT).returncode == 0


def main() -> int:
    """Run what the change touches; the exit status is 1 if anything fails."""
    changed = files()
    if not changed:
        print("nothing differs from the main branch; make test runs everything")
        return 0
    tests = chosen(changed)
    print(f"{len(changed)} changed files touch {len(tests)} of the unit tests' files and folders", flush=True)
    program = Path(sys.executable).parent
    python = [path for path in changed if path.endswith(".py") and (ROOT / path).exists()]
    ours = [path for path in python if not path.startswith("vet_app/")]
    good = not ours or all(
        [_run(f"{program}/ruff", "check", *ours), _run(f"{program}/ruff", "format", "--check", *ours)]
    )
    if tests:
        good &= _run(sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *tests)
    if any(path.startswith("vet_app/") for path in changed):
        good &= _run("make", "-C", "vet_app", "test", "HALF=first")
    later = sorted({command for start, command in BESIDES.items() if any(path.startswith(start) for path in changed)})
    print(f"\nNot run: mypy and the judges of the JSON (make lint){''.join(f', {command}' for command in later)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
