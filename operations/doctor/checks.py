"""What ``make doctor`` looks at on this machine: programs, settings, and who you are in AWS."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator

from operations.doctor.finding import CheckContext, Finding
from operations.shared.terraform import engine_of, program
from settings.loader import placeholders_left


def tools(context: CheckContext) -> Iterator[Finding]:
    """Programs on this machine."""
    yield Finding("Python", "ok", ".".join(map(str, sys.version_info[:3])))
    path = program()  # raises Failure with its own remedy
    answer = subprocess.run([path, "version", "-json"], capture_output=True, text=True, check=True)
    yield Finding(engine_of(path).name, "ok", json.loads(answer.stdout)["terraform_version"])
    private = context.environment.access.api.access == "private"
    for name, reason, needed in (
        ("aws", "the AWS CLI, by which kubectl and Terraform get the cluster's credentials", True),
        ("session-manager-plugin", "the AWS CLI's plugin, the way to a private API", private),
        ("kubectl", "to look at nodes and releases", False),
    ):
        executable = shutil.which(name)
        if executable:
            yield Finding(name, "ok", executable)
        else:
            yield Finding(name, "fails" if needed else "later", "is not on PATH", f"install it: {reason}")


def placeholders(context: CheckContext) -> Iterator[Finding]:
    """Placeholders that are left in the project's settings."""
    left = placeholders_left(context.settings.project)
    for problem in left:
        yield Finding("settings", "fails", f"{problem.place}: {problem.subject} is a placeholder", problem.remedy)
    if not left:
        yield Finding("settings", "ok", "no placeholder is left")


def credentials(context: CheckContext) -> Iterator[Finding]:
    """Who you are in AWS."""
    identity = context.client("sts").get_caller_identity()
    wanted = context.settings.project.account_id
    if identity["Account"] == wanted:
        yield Finding("credentials", "ok", f"{identity['Arn']}")
    else:
        text = f"they are of account {identity['Account']}, not {wanted}"
        yield Finding(
            "credentials", "fails", text, "set AWS_PROFILE, or correct account_id in environments/_project.yaml"
        )
