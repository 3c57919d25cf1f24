"""Plan a stack, say what the plan does, refuse or ask, and apply that very plan: the one way to an apply that people start."""

import os

from operations.deployment.plan import LOSE, PLAN, show
from operations.deployment.plan_summary import Plan, refuse_losses
from operations.shared.consent import agreed
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.terraform import Terraform

console = terminal()


def apply_approved(terraform: Terraform) -> Plan:
    """Apply a plan that loses nothing unasked and that the person wants, or that ``auto_approve`` agrees to beforehand.

    :returns: Terraform's JSON of it; empty if it changes nothing.

    Raises:
        Failure: the plan destroys what no changed setting may destroy, or the person does not want it.
    """
    if not terraform.plan(PLAN):
        show(terraform.stack, {})
        return {}
    file = terraform.folder / PLAN
    try:
        plan = terraform.show(PLAN)
        show(terraform.stack, plan)
        refuse_losses(plan, accepted=os.environ.get(LOSE, ""), stack=terraform.stack)
        if not terraform.auto_approve and not agreed(console, "Apply it?"):
            raise Failure(f"stopped before applying {terraform.stack}; nothing of it was changed")
        terraform.apply_plan(PLAN)
    finally:
        file.unlink(missing_ok=True)
    return plan
