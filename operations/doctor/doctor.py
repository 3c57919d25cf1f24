"""``make doctor ENV=dev``: looks at everything that an environment needs, and says of each that it is in order or what to do."""

import datetime
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from rich.box import SIMPLE
from rich.table import Table

from operations.doctor.aws_checks import certificate, dns, image, machines, state
from operations.doctor.checks import credentials, placeholders, tools
from operations.doctor.cluster_checks import api
from operations.doctor.finding import CheckContext, Finding
from operations.doctor.network_checks import existing_network, machine_types
from operations.doctor.server_checks import control_plane, etcd_snapshots, unfinished
from operations.shared.console import terminal, waiting
from operations.shared.environments import named
from operations.shared.errors import Failure
from operations.supply_chain import maintenance
from settings import load
from settings.engines import ENGINES

ENGINE_TITLES = {engine.name for engine in ENGINES.values()}

CHECKS: tuple[Callable[[CheckContext], Iterator[Finding]], ...] = (
    tools,
    placeholders,
    credentials,
    state,
    dns,
    certificate,
    image,
    existing_network,
    machine_types,
    machines,
    control_plane,
    unfinished,
    etcd_snapshots,
    api,
)
"""Every matter, in the order in which each needs the one before."""

WITHOUT_AWS = {tools, placeholders, api}
"""Checks that can say something without credentials of AWS."""

COLOURS = {"ok": "green", "fails": "red", "later": "yellow"}
LOGIN = "log in to AWS (aws sso login), or set AWS_PROFILE"


def run(name: str, *, as_json: bool = False) -> int:
    """Examine an environment and print what was found; the exit status is 1 if anything fails.

    :param as_json: print the findings as a JSON list rather than tables.

    Raises:
        Failure: there is no such environment.
    """
    settings = load()
    context = CheckContext(settings, named(settings, name))
    console = terminal(stderr=as_json)
    with waiting(console, f"looking at {name}"):
        findings = list(run_checks(context))
    failing = sum(finding.verdict == "fails" for finding in findings)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
        return 1 if failing else 0
    console.print(_table(findings))
    engines = {each.what: each.text for each in findings if each.what in ENGINE_TITLES and each.verdict == "ok"}
    console.print(maintenance.table(context.environment, datetime.date.today(), engines))
    console.print(f"{name}: " + (f"[red]{failing} to fix[/]" if failing else "[green]nothing to fix[/]"))
    return 1 if failing else 0


def run_checks(context: CheckContext) -> Iterator[Finding]:
    """Every finding. An exception in a check is a finding as well; without credentials AWS is not asked again."""
    without_credentials = False
    for check in CHECKS:
        if without_credentials and check not in WITHOUT_AWS:
            yield Finding(check.__name__, "later", "needs AWS credentials", LOGIN)
            continue
        try:
            yield from check(context)
        except NoCredentialsError:
            without_credentials = True
            yield Finding(check.__name__, "fails", "there are no AWS credentials", LOGIN)
        except Exception as error:
            yield Finding(check.__name__, "fails", *_explained(error))


def _explained(error: Exception) -> tuple[str, str]:
    """What an exception means, and what to do."""
    if isinstance(error, Failure):
        return error.problem, error.remedy
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        expired = code in (
            "ExpiredToken",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "ExpiredTokenException",
        )
        return f"AWS says {code}", LOGIN if expired else f"you may lack a right: AWS refused {error.operation_name}"
    if isinstance(error, BotoCoreError):
        return str(error), LOGIN
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or "").strip().splitlines()
        return lines[-1] if lines else str(error), f"run it: {' '.join(error.cmd)}"
    return f"cannot be looked at: {error!r}", "this is an error in the check; report it"


def _table(findings: list[Finding]) -> Table:
    table = Table("", "what", "found", "to do", box=SIMPLE, pad_edge=False)
    for finding in findings:
        colour = COLOURS[finding.verdict]
        table.add_row(f"[{colour}]{finding.verdict}[/]", finding.what, finding.text, finding.remedy)
    return table
