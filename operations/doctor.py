"""``make doctor ENV=dev``: looks at everything that an environment needs, and says of each that it is well or what to do."""

import datetime
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from operations import maintenance
from operations.checks import (
    Finding,
    Patient,
    api,
    certificate,
    credentials,
    dns,
    first_day,
    image,
    machines,
    state,
    tools,
)
from operations.checks_servers import control_plane, etcd_snapshots, unfinished
from operations.environments import named
from operations.failure import Failure
from settings import load

CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    tools,
    first_day,
    credentials,
    state,
    dns,
    certificate,
    image,
    machines,
    control_plane,
    unfinished,
    etcd_snapshots,
    api,
)
"""Every matter, in the order in which each needs the one before."""

COLOURS = {"ok": "green", "fails": "red", "later": "yellow"}
LOGIN = "log in to AWS (aws sso login), or set AWS_PROFILE"


def run(name: str, *, as_json: bool = False) -> int:
    """Examine an environment and print what was found; the exit status is 1 if anything fails.

    :param as_json: print the findings as a JSON list rather than tables.

    Raises:
        Failure: there is no such environment.
    """
    settings = load()
    patient = Patient(settings, named(settings, name))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140, stderr=as_json)
    with console.status(f"looking at {name}"):
        findings = list(examine(patient))
    failing = sum(finding.verdict == "fails" for finding in findings)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
        return 1 if failing else 0
    console.print(_table(findings))
    console.print(maintenance.table(patient.environment, datetime.date.today()))
    console.print(f"{name}: " + (f"[red]{failing} to mend[/]" if failing else "[green]nothing to mend[/]"))
    return 1 if failing else 0


def examine(patient: Patient) -> Iterator[Finding]:
    """Every finding. Whatever a check stumbles over becomes one too; without credentials AWS is not asked again."""
    barred = False
    for check in CHECKS:
        if barred and check.__name__ != "api":
            yield Finding(check.__name__, "later", "needs AWS credentials", LOGIN)
            continue
        try:
            yield from check(patient)
        except NoCredentialsError:
            barred = True
            yield Finding(check.__name__, "fails", "there are no AWS credentials", LOGIN)
        except ClientError as error:
            yield Finding(check.__name__, "fails", f"AWS says {error.response['Error']['Code']}", _remedy(error))
        except BotoCoreError as error:
            yield Finding(check.__name__, "fails", str(error), LOGIN)
        except Failure as failure:
            text, _, remedy = str(failure).partition("\n")
            text, _, hint = (text, "", "") if remedy else text.partition("; ")
            yield Finding(check.__name__, "fails", text, remedy.removeprefix("First: ") or hint)
        except subprocess.CalledProcessError as error:
            said = (error.stderr or "").strip().splitlines()
            yield Finding(check.__name__, "fails", said[-1] if said else str(error), f"run it: {' '.join(error.cmd)}")
        except Exception as error:
            yield Finding(check.__name__, "fails", f"cannot be looked at: {error!r}", "this is a defect of the doctor")


def _remedy(error: ClientError) -> str:
    code = error.response["Error"]["Code"]
    if code in ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException", "ExpiredTokenException"):
        return LOGIN
    return f"may you? AWS refused {error.operation_name}"


def _table(findings: list[Finding]) -> Table:
    table = Table("", "what", "found", "to do", box=SIMPLE, pad_edge=False)
    for finding in findings:
        colour = COLOURS[finding.verdict]
        table.add_row(f"[{colour}]{finding.verdict}[/]", finding.what, finding.text, finding.remedy)
    return table
