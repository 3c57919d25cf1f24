"""``make local``: the infrastructure on this machine, without an AWS account.

An emulator plays AWS, and the real Terraform applies ``vet-state`` and every environment to it through the S3 backend. It stays until Ctrl-C,
so that you can look around with the AWS CLI, and leaves nothing.
"""

import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.stack import Stack
from operations.shared.console import terminal, timed
from operations.shared.errors import Failure
from settings import load
from settings.names import STATE_STACK, infrastructure_stack

console = terminal()

SHOWN: dict[str, Callable[[dict[str, Any]], str]] = {
    "aws_vpc": lambda v: f"{v['cidr_block']}",
    "aws_subnet": lambda v: f"{v['cidr_block']} in {v['availability_zone']}",
    "aws_nat_gateway": lambda v: f"{v['public_ip']}",
    "aws_instance": lambda v: f"{v['instance_type']}, {v['private_ip']}",
    "aws_autoscaling_group": lambda v: f"{v['name']}: {v['desired_capacity']} of at most {v['max_size']}",
    "aws_lb": lambda v: f"{v['load_balancer_type']}, {v['dns_name']}",
    "aws_lb_target_group": lambda v: f"{v['name']}, {v['protocol']}:{v['port']}",
    "aws_route53_zone": lambda v: f"{v['name']}",
    "aws_route53_record": lambda v: f"{v['name']} {v['type']}",
    "aws_s3_bucket": lambda v: f"{v['bucket']}",
}
"""Types that ``make local`` reports, and what it says."""


def run(*, once: bool = False) -> None:
    """Deploy everything to an emulator, show it, and wait.

    :param once: end after the second plan instead of waiting.

    Raises:
        Failure: Terraform or a provider is missing, or a second plan would change something.
    """
    settings = load()
    with tempfile.TemporaryDirectory(prefix="vet-local-") as folder:
        console.print("starting the AWS emulator")
        with account(Path(folder), settings) as aws_account:
            console.print(f"  AWS is at {aws_account.emulator.url} for as long as this runs")
            timed(console, "make state: bucket for all state, and DNS zones", aws_account.make_state)
            stacks = [aws_account.stack(infrastructure_stack(each.name)) for each in settings.environments]
            with ThreadPoolExecutor() as pool:  # the environments do not touch each other
                list(pool.map(_deploy, stacks))
            for stack in (aws_account.stack(STATE_STACK), *stacks):
                console.print(table(stack))
            for stack in stacks:
                check(stack)
            _wait(aws_account, once=once)
    console.print("gone: emulator, state and folder")


def table(stack: Stack) -> Table:
    """What a stack has made, by Terraform's state."""
    shown = Table("", "path", "is", title=f"[bold]{stack.name}[/]", title_justify="left", box=SIMPLE, pad_edge=False)
    for column in shown.columns:
        column.overflow = "fold"
    resources = stack.state()
    for kind in SHOWN:
        for resource in (each for each in resources if each["type"] == kind and each["mode"] == "managed"):
            shown.add_row(
                kind.removeprefix("aws_"), resource["name"].rsplit("_", 1)[0], SHOWN[kind](resource["values"])
            )
    shown.caption = f"{sum(each['mode'] == 'managed' for each in resources)} resources in all"
    return shown


def check(stack: Stack) -> None:
    """Plan again.

    Raises:
        Failure: something would change.
    """
    if changes := list(stack.unexpected_changes()):
        raise Failure(f"a second plan of {stack.name} would change:\n" + "\n".join(changes))
    console.print(f"  [green]{stack.name}: a second plan changes nothing[/] (apart from what the emulator forgets)")


def _deploy(stack: Stack) -> None:
    timed(console, f"terraform apply {stack.name}", stack.apply)


def _wait(aws_account: Account, *, once: bool) -> None:
    if once:
        return
    console.print("\nLook around in another terminal:")
    for line in _exports(aws_account):
        console.print(f"  {line}", soft_wrap=True)
    console.print("  aws ec2 describe-instances --query 'Reservations[].Instances[].PrivateIpAddress'", soft_wrap=True)
    wait_for_the_end()


def wait_for_the_end() -> None:
    """Wait for Ctrl-C, which is how it is meant to end."""
    console.print("\nCtrl-C ends it.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("\nending")


def _exports(aws_account: Account) -> Iterator[str]:
    for name, value in aws_account.emulator.variables.items():
        yield f"export {name}={value}"
