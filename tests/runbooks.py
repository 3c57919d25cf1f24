"""The commands of docs/runbooks, out of the pages themselves, and where each is proven (runbooks.yaml)."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs/runbooks"

SUITES = ("apply", "boot", "platform", "pods")
"""Folders of ``tests/`` whose ``test_runbooks.py`` runs commands: on an emulated AWS, on sandboxed nodes, on a cluster's API, on a cluster
that runs pods."""

PROGRAMS = frozenset(
    {"aws", "cdktf", "export", "git", "helm", "jq", "kubectl", "make", "psql", "rke2", "sudo", "terraform"}
)
"""What a command begins with. A code span that begins otherwise is a word, not a command."""

Run = Callable[[str], subprocess.CompletedProcess[str]]
"""Runs a command as the page's reader would, in the shell of a suite's world."""


def pages() -> list[str]:
    """Names of all pages."""
    return sorted(path.stem for path in PAGES.glob("*.md"))


@cache
def commands(page: str) -> tuple[str, ...]:
    """What a page tells its reader to run, once each: the commands of its code blocks, and the code spans that are commands.

    A block that is fenced as another language than ``sh`` is no command. Comments are left out.
    """
    texts: list[str] = []
    for token in MarkdownIt().parse((PAGES / f"{page}.md").read_text()):
        if token.type == "code_block" or (token.type == "fence" and token.info in ("", "sh")):
            texts += _split(token.content)
        elif token.type == "inline":
            spans = [child.content for child in token.children or () if child.type == "code_inline"]
            texts += [span for span in spans if span.split()[0] in PROGRAMS and len(span.split()) > 1]
    return tuple(dict.fromkeys(texts))


def _split(block: str) -> Iterator[str]:
    """The commands of a block: a line each, with the lines in which it goes on."""
    lines: list[str] = []
    end = ""
    for line in block.splitlines():
        lines.append(line)
        if end:
            end = "" if line == end else end
        elif "<<'" in line:
            end = line.partition("<<'")[2].partition("'")[0]
        if not end and not line.endswith(("\\", "|")):
            if command := re.sub(r"(^|\s)# .*", "", "\n".join(lines)).strip():
                yield command
            lines = []


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """Where each command of each page is proven; see runbooks.yaml."""
    places: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    return places


def follow(
    page: str,
    suite: str,
    run: Run,
    values: Mapping[str, str | Callable[[], str]],
    *,
    ends: Mapping[str, int] | None = None,
) -> dict[str, str]:
    """Run the commands of a page that the table gives to a suite, in the page's order.

    :param values: what the reader puts in place of the page's own examples; a function is asked when its turn comes.
    :param ends: exit status of commands that are meant to end otherwise than with 0.

    Returns what each printed.
    """
    outputs = {}
    for command in (each for each in commands(page) if table()[page][each] == suite):
        text = command
        for example, value in values.items():
            if example in text:
                text = text.replace(example, value if isinstance(value, str) else value())
        answer = run(text)
        outputs[command] = answer.stdout + answer.stderr
        wanted = (ends or {}).get(command, 0)
        assert answer.returncode == wanted, (
            f"{page}.md: {text}\nended with {answer.returncode}:\n{outputs[command][-4000:]}"
        )
    assert outputs, f"the table gives no command of {page}.md to {suite}"
    return outputs
