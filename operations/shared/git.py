"""What Git says of this checkout."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from operations.shared.errors import Failure


def git(*arguments: str, root: Path = Path(), env: Mapping[str, str] | None = None) -> str:
    """What git prints.

    Raises:
        Failure: it failed; the text is its own.
    """
    command = ["git", "-C", str(root), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if answer.returncode:
        message = re.sub(r"^fatal: ", "", answer.stderr.strip())
        raise Failure(f"git says: {message}")
    return answer.stdout.strip()


def knows(commit: str, root: Path = Path()) -> bool:
    """Whether the commit is in this clone."""
    return not subprocess.run(
        ["git", "-C", str(root), "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True
    ).returncode


@contextmanager
def synthesised(commit: str) -> Iterator[Path]:
    """The stacks as a commit synthesises them, in a folder that goes at the end.

    Raises:
        Failure: this clone has no such commit, or it does not synthesise.
    """
    if not knows(commit):
        raise Failure(f"this clone has no commit {commit[:12]}: fetch the whole history (git fetch --unshallow)")
    with TemporaryDirectory(prefix="vet-before-") as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield _synth(tree, commit)
        finally:
            git("worktree", "remove", "--force", str(tree))


def _synth(tree: Path, commit: str) -> Path:
    """Synthesise with these packages where the commit locks the same ones, otherwise with its own."""
    same = (tree / "Pipfile.lock").read_bytes() == Path("Pipfile.lock").read_bytes()
    command = [sys.executable, "main.py"] if same else ["sh", "scripts/run", "python", "main.py"]
    answer = subprocess.run(command, cwd=tree, env=dict(os.environ), capture_output=True, text=True)
    if answer.returncode:
        raise Failure(f"commit {commit[:12]} does not synthesise here:\n{answer.stderr.strip()[-2000:]}")
    return tree / "cdktf.out/stacks"
