"""The program ``vet``: one command line over the modules of ``operations``.

Each command imports its module when it runs, so help and completion are fast and a command needs only what it uses.
``docs/commands.md`` is made from it by ``make commands``.
"""

import typer

from operations.cli import applications, clusters, environments, new, stacks, state, tools
from operations.cli.tools import DIFFERENT

EXIT_CODES = {
    0: "done",
    1: "refused or failed; the text says why and what to do (`doctor`: something is wrong; `drill`: a step failed)",
    2: "the command line is wrong; nothing was done",
    DIFFERENT: "`drift`: what is deployed is not what this checkout says; the page names what differs",
    130: "stopped by Ctrl-C, or because the terminal was closed; the text says what was left and how to go on",
}
"""What each exit status means. A program that a command runs, such as Terraform, ends it with its own."""

EPILOG = "  \n".join(["Exit status:", *(f"{code}: {meaning}." for code, meaning in EXIT_CODES.items())])

app = typer.Typer(
    name="vet",
    help="The platform of a veterinary practice: its environments, clusters and application.",
    epilog=EPILOG.replace("`", ""),
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a mistake of the user's is told by operations.failure; anything else is a defect
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)
app.add_typer(environments.app, name="env")
app.add_typer(clusters.app, name="cluster")
app.add_typer(applications.app, name="app")
app.add_typer(state.app, name="state")
app.add_typer(stacks.app, name="stack")
app.add_typer(new.app, name="new")
tools.add_to(app)


def main() -> None:
    """Run the program on this process's arguments."""
    app(prog_name="vet")
