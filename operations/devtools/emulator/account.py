"""A whole account on this machine: emulator, state bucket, and stacks that the real Terraform applies to it."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
from botocore import UNSIGNED
from botocore.config import Config

import main
from modules.aws.github_roles import AUDIENCE, HOST
from operations.devtools.emulator import ACCOUNT_ID, REPOSITORY, Emulator
from operations.devtools.emulator.stack import Stack
from operations.shared.errors import Failure
from operations.shared.terraform import binary, program
from settings import Settings
from settings.names import STATE_STACK, infrastructure_stack

MISSING = (
    "Terraform cannot install its providers: give it a network, or put them into\n"
    "~/.terraform.d/plugins/registry.terraform.io/hashicorp/NAME/VERSION/linux_amd64/ (registry.opentofu.org for OpenTofu)"
)


@dataclass(frozen=True)
class Account:
    """An emulated account and the folder in which its stacks are."""

    folder: Path
    """Holds ``cdktf.out/``, the emulator's log and nothing of the repository's."""

    emulator: Emulator

    def stack(self, name: str) -> Stack:
        """A synthesised stack, such as ``vet-dev``."""
        return Stack(self.folder / "cdktf.out/stacks" / name, self.emulator.environment)

    def workflow(self, settings: Settings, role: str, subject: str) -> dict[str, str]:
        """The environment of a job on GitHub: with short-lived credentials of a role, given for a token with the job's subject.

        :param settings: name the repository (``github.repository``), and ``vet-state`` was applied with them.
        :param role: last part of its name: ``plan``, or ``deploy-dev``.
        :param subject: what follows the repository in the token's subject, such as ``environment:dev``.
        """
        repository, prefix = settings.project.github, settings.project.name_prefix
        assert repository is not None
        sts = boto3.client(
            "sts",
            region_name=settings.project.region,
            endpoint_url=self.emulator.url,
            config=Config(signature_version=UNSIGNED),
        )
        keys = sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{prefix}-github-{role}",
            RoleSessionName="workflow",
            WebIdentityToken=web_identity(f"repo:{repository.repository}:{subject}"),
        )["Credentials"]
        return self._signing_with(keys)

    def as_workflow(self, settings: Settings, environment: str) -> Stack:
        """The infrastructure of an environment, deployed by the role that its workflow gets on GitHub (see :meth:`workflow`)."""
        signing = self.workflow(settings, f"deploy-{environment}", f"environment:{environment}")
        return replace(self.stack(infrastructure_stack(environment)), environment=signing)

    def taking(self, role: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of somebody who has taken a role.

        :param role: its name.
        :param environment: of the identity that takes it, which the role must trust; the account's administrator, if it is left out.
        """
        signing = environment or self.emulator.environment
        sts = boto3.client(
            "sts",
            region_name=signing["AWS_REGION"],
            endpoint_url=self.emulator.url,
            aws_access_key_id=signing["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=signing["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=signing.get("AWS_SESSION_TOKEN"),
        )
        arn = f"arn:aws:iam::{ACCOUNT_ID}:role/{role}"
        return self._signing_with(sts.assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"])

    def _signing_with(self, keys: Mapping[str, str]) -> dict[str, str]:
        return {
            **self.emulator.environment,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def synthesise(self, settings: Settings) -> None:
        """Write the stacks of these settings into the folder."""
        main.build_app(settings, outdir=str(self.folder / "cdktf.out")).synth()

    def make_state(self, *options: str, environment: Mapping[str, str] | None = None) -> str:
        """``make state`` in the folder; its output.

        :param environment: of the identity that runs it; the account's administrator, if it is left out.

        Raises:
            Failure: with its output.
        """
        answer = subprocess.run(
            [sys.executable, "-m", "operations", "state", "bootstrap", "--yes", *options],
            cwd=self.folder,
            env={**(environment or self.emulator.environment), "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            raise Failure(f"make state failed:\n{answer.stdout[-2000:]}\n{answer.stderr}")
        return answer.stdout


def web_identity(subject: str) -> str:
    """A token with the claims of GitHub's (GitHub Actions: OpenID Connect), which nobody has signed: the emulator knows no keys."""
    claims = {"iss": f"https://{HOST}", "aud": AUDIENCE, "sub": subject}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "unsigned"])


@contextmanager
def account(folder: Path, settings: Settings) -> Iterator[Account]:
    """An empty account with these settings synthesised; forgotten at the end.

    Raises:
        Failure: Terraform or one of its providers is missing; the text says what to install.
    """
    program()
    with Emulator(folder / "emulator.log") as emulator:
        aws_account = Account(folder, emulator)
        aws_account.synthesise(settings)
        _providers(aws_account.stack(STATE_STACK).folder)
        yield aws_account


def _providers(folder: Path) -> None:
    variables = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": str(folder.parent / "probe")}
    command = [binary(), "init", "-backend=false", "-input=false", "-no-color", "-lockfile=readonly"]
    probe = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if "Failed to query available provider packages" in probe.stderr + probe.stdout:
        raise Failure(MISSING)
