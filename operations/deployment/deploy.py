"""``make deploy ENV=dev`` and ``make destroy ENV=dev``: the stacks of one environment, in order."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import main
from operations.application.images import refuse_missing
from operations.application.recovery import before_deploy
from operations.deployment import boundary, cluster_ready, cluster_settings, deployed
from operations.deployment.approval import apply_approved
from operations.deployment.plan_summary import waiting
from operations.deployment.state_bucket import explained, refuse_another
from operations.shared.console import terminal
from operations.shared.environments import named
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.servers import Cluster
from operations.shared.terraform import STACKS, Terraform
from operations.shared.tunnel import terraform_variables
from operations.supply_chain.pins import believed
from settings import Settings, load
from settings.names import STATE_STACK, Names, helm_stack, infrastructure_stack

DATABASE_RELEASE = "helm_release.database_cluster_"
"""What the database's address in the Helm stack begins with."""

console = terminal()


def deploy(name: str, *, auto_approve: bool = False, helm_alone: bool = False) -> None:
    """Apply the environment's stacks, infrastructure first.

    :param helm_alone: leave the infrastructure as it is deployed.

    Raises:
        Failure: there is no such environment, the account has no state bucket or no boundary for its roles yet, the application no
            image, a plan destroys what no changed setting may destroy, or a database cannot be filled as it is meant to be.
    """
    settings = _prepare(name)
    console.print(f"[bold]{name}[/] answers at {', '.join(settings.environment(name).hosts.all)}")
    if unseen := list(believed(settings.environment(name))):
        console.print(f"believed without a checksum of our own: {', '.join(unseen)} (make pins)", style="yellow")
    _name_servers(settings)
    boundary.refuse_missing(Names(settings.project, settings.environment(name)))
    cluster_settings.refuse(name)
    later: dict[str, None] = {}
    for stack in _stacks(name):
        if helm_alone and stack != helm_stack(name):
            continue
        console.rule(stack)
        if stack == helm_stack(name):
            cluster_ready.wait(Cluster(name))
            refuse_missing(Names(settings.project, settings.environment(name)))
        with _terraform(stack, name, auto_approve=auto_approve) as terraform:
            if stack == helm_stack(name):
                before_deploy(Cluster(name), deployed=lambda: terraform.knows(DATABASE_RELEASE))
            later |= dict.fromkeys(waiting(apply_approved(terraform)))
    deployed.note(Names(settings.project, settings.environment(name)))
    for command in later:
        console.print(f"[bold]then[/] {command} ENV={name}")


def destroy(name: str, *, dry_run: bool = False, auto_approve: bool = False) -> None:
    """Destroy the environment's stacks, in the opposite order.

    :param dry_run: show Terraform's plan of it, and destroy nothing.

    Raises:
        Failure: there is no such environment, or it is protected.
    """
    settings = _prepare(name)
    if settings.environment(name).deletion_protection:
        raise Failure(
            f"{name} is protected: environments/{name}.yaml says deletion_protection: true.\n"
            "docs/runbooks/destroying-an-environment.md tells how to give up a protected environment."
        )
    for stack in reversed(_stacks(name)):
        console.rule(f"destroy {stack}")
        with _terraform(stack, name, auto_approve=auto_approve) as terraform:
            if dry_run:
                terraform.plan_destruction()
            else:
                terraform.destroy()


@contextmanager
def _terraform(stack: str, name: str, *, auto_approve: bool) -> Iterator[Terraform]:
    """Terraform for a stack, ready to run; for the Helm stack with the way to the cluster."""
    with ExitStack() as way:
        variables = way.enter_context(terraform_variables(Cluster(name))) if stack == helm_stack(name) else {}
        terraform = Terraform(stack, auto_approve=auto_approve, variables=variables)
        terraform.init("-reconfigure")
        yield terraform


def _prepare(name: str) -> Settings:
    settings = load()
    refuse_placeholders(settings)
    named(settings, name)
    main.build_app(settings).synth()
    return settings


def _stacks(name: str) -> Sequence[str]:
    """Stacks of the environment that were synthesised, in the order of their creation."""
    wanted = (infrastructure_stack(name), helm_stack(name))
    return [stack for stack in wanted if (STACKS / stack).is_dir()]


def _name_servers(settings: Settings) -> None:
    """Say what the certificate's validation waits for, before it waits."""
    state = Terraform(STATE_STACK)
    with explained(settings.project):
        state.init("-reconfigure")
    outputs = state.outputs()
    if not outputs:
        refuse_another(settings.project)
        raise Failure("the account has no state bucket and no DNS zones yet: run make state first")
    servers = ", ".join(outputs["name_servers"])
    console.print(f"The certificate is issued once {settings.project.domain} is delegated to {servers}")
