"""``make commands``: ``docs/commands.md``, the reference of every command, from the program itself."""

from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.cli import get_docs_for_click

from operations.cli import EXIT_CODES, app

PAGE = Path("docs/commands.md")
"""Where the reference is, relative to the repository."""

INTRODUCTION = """# Commands

Made by `make commands` from `operations/cli`. The program is `./vet`; `python -m operations` is the same where the environment is active, and
most commands have a `make` target that takes its values as `NAME=value` (`make help`).

`./vet --install-completion` completes commands, environments, roles, snapshots and steps in your shell. Output has colours on a terminal only.

## Exit status

| status | meaning |
|---|---|
"""

OTHERS = "\nA program that a command runs, such as Terraform, ends it with its own status.\n\n"


def page() -> str:
    """The text of the reference."""
    command = typer.main.get_command(app)
    command.epilog = None  # the table of statuses says it
    _unabridged(command)
    context = typer.Context(command, info_name="vet", **command.context_settings)
    statuses = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    commands = get_docs_for_click(obj=command, ctx=context, name="vet", title="All commands")
    return f"{INTRODUCTION}{statuses}{OTHERS}#{commands.rstrip()}\n"


def _unabridged(command: Any) -> None:
    """Lists of commands have whole sentences: without a short help Click cuts the help at 45 characters."""
    command.short_help = command.help
    for each in getattr(command, "commands", {}).values():
        _unabridged(each)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE} is written")
