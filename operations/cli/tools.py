"""Commands without a group: what explains the platform, examines it, and tries it without AWS."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from operations.cli import arguments
from operations.cli.arguments import Environment, Json, run

DIFFERENT = 3
"""Exit status of ``drift`` when something differs: 1 is a failure, and 2 a wrong command line."""

EXPLAIN, TRY = "Look at it", "Try it without AWS"
"""Headings in the help."""


def add_to(app: typer.Typer) -> None:
    """Give these commands to the program."""
    for command in (doctor, cost, review, drift, report, synth, pins, sbom, workflows):
        app.command(rich_help_panel=EXPLAIN)(command)
    for command in (local, clinic, drill, charts, benchmark):
        app.command(rich_help_panel=TRY)(command)


def steps(incomplete: str) -> list[str]:
    """Names of the drill's steps."""
    from operations.devtools.drill import STEPS

    return [step.name for step in STEPS if step.name.startswith(incomplete)]


def assumptions(incomplete: str) -> list[str]:
    """Beginnings of what may be assumed."""
    from settings.cost import CostAssumptions

    return [f"{name}=" for name in CostAssumptions.model_fields if name.startswith(incomplete)]


def doctor(environment: Environment, *, as_json: Json = False) -> None:
    """Examine all that an environment needs, and say what is wrong and what to do."""

    def diagnose() -> None:
        from operations.doctor import doctor as module

        sys.exit(module.run(environment, as_json=as_json))

    run(diagnose)


def cost(
    environments: Annotated[
        list[str] | None, typer.Argument(help="Environments; left out, all.", autocompletion=arguments.environments)
    ] = None,
    *,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Another assumption, such as nat_gb=500.", autocompletion=assumptions),
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Every charge rather than groups.")] = False,
    as_json: Json = False,
) -> None:
    """Estimate what the platform costs a month, from the synthesised JSON."""

    def estimate() -> None:
        from operations.report import cost as module

        # One word may hold several: make passes ENV="dev prod" and ASSUME="a=1 b=2" as they are.
        names, assumed = (" ".join(words or ()).split() for words in (environments, assume))
        module.run(names, assumed, details=details, as_json=as_json)

    run(estimate)


Markdown = Annotated[Path | None, typer.Option(help="Also write the page to this file.")]
Lock = Annotated[bool, typer.Option(help="Lock the state; credentials that may only read cannot.")]


def review(
    *,
    markdown: Markdown = None,
    lock: Lock = True,
    values: Annotated[bool, typer.Option(help="Show Terraform's own account, which names values.")] = True,
) -> None:
    """Show what this checkout would change in every stack: infrastructure, cluster, cost, pictures; risks first."""

    def compare() -> None:
        from operations.deployment import review as module

        module.run(markdown=markdown, values=values, lock=lock)

    run(compare)


def drift(
    *,
    markdown: Annotated[Path, typer.Option(help="Where the page goes, if anything differs.")] = Path("drift.md"),
) -> None:
    """Look whether what is deployed is what this checkout says; the exit status is 3 if it is not."""

    def compare() -> None:
        from operations.deployment import review as module

        sys.exit(DIFFERENT if module.drift(markdown=markdown) else 0)

    run(compare)


def workflows() -> None:
    """Write the pipeline for GitHub and for GitLab from its one description."""

    def write() -> None:
        from operations.pipeline import write as write_files

        print("\n".join(map(str, write_files())))

    run(write, stopped="a file may be of before; the same command writes all of them")


def report() -> None:
    """Write a page that explains the platform, and the pictures in docs/pictures."""

    def write() -> None:
        from operations.report import report as module

        module.run()

    run(write, stopped="files in docs/pictures may be half of the new ones; vet report writes all of them")


def synth() -> None:
    """Write the Terraform JSON of every stack to cdktf.out/."""

    def write() -> None:
        from operations.deployment import synth as module

        module.run()

    run(write, stopped="cdktf.out/ may be incomplete; vet synth writes all of it")


def pins(
    *,
    fill: Annotated[bool, typer.Option("--fill", help="Write down what is missing and two sources agree on.")] = False,
) -> None:
    """Show what is fetched without a checksum to compare it with."""

    def show() -> None:
        from operations.supply_chain import pins as module

        module.run(fill=fill)

    run(show, stopped="checksums that were written down stay; the same command goes on")


def sbom() -> None:
    """Write what is in the image and in the nodes' programs, as CycloneDX, to cdktf.out/sbom/."""

    def write() -> None:
        from operations.supply_chain import sbom as module

        module.run()

    run(write, stopped="documents may be missing; vet sbom writes all of them")


def local(*, once: Annotated[bool, typer.Option("--once", help="End after the second plan.")] = False) -> None:
    """Deploy the infrastructure to an AWS emulator on this machine, until Ctrl-C."""

    def deploy() -> None:
        from operations.devtools import local as module

        module.run(once=once)

    run(deploy, stopped="the emulator and all that was in it are gone")


def clinic(*, once: Annotated[bool, typer.Option(help="End after a member of staff was let in.")] = False) -> None:
    """Bring up the whole clinic on this machine, both stacks and its pages, until Ctrl-C."""

    def bring_up() -> None:
        from operations.devtools import whole_clinic as module

        module.run(once=once)

    run(bring_up, stopped="what was brought up is gone again")


def drill(
    step: Annotated[list[str] | None, typer.Argument(help="Steps; left out, all.", autocompletion=steps)] = None,
) -> None:
    """Prove the recovery plan: lose state, region, etcd, platform and database, and get them back."""

    def prove() -> None:
        from operations.devtools import drill as module

        sys.exit(0 if module.run(" ".join(step or ()).split()) else 1)

    run(prove, stopped="what the drill had made on this machine is removed")


def charts(
    *,
    source: Annotated[
        Path | None, typer.Option(help="Folder with the archives, where the repositories are out of reach.")
    ] = None,
    if_reachable: Annotated[
        bool, typer.Option("--if-reachable", help="Succeed where a repository does not answer.")
    ] = False,
    way: Annotated[
        bool, typer.Option("--way", help="Also those that are installed on the way from one set to the other.")
    ] = False,
) -> None:
    """Fetch the Helm charts of the release sets, checked by digest, for the tests that render them."""

    def fetch() -> None:
        from operations.supply_chain import charts as module

        if if_reachable:
            module.run_if_reachable(whole_way=way)
        else:
            module.run(module.FOLDER, source, whole_way=way)

    run(fetch, stopped="charts that are whole stay; the same command fetches the others")


def benchmark() -> None:
    """Measure time and memory of synth, with plain imports and with the fast bindings."""

    def measure() -> None:
        from operations.devtools import benchmark as module

        module.run()

    run(measure)
