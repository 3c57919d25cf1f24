"""``make state``: create the state bucket and the DNS zones, once per account and again whenever an environment is added.

The bucket cannot hold the state that creates it before it exists. So the first run keeps its state in a local file and then moves it into
the bucket. A run that was interrupted in between finds the file and goes on; later runs use the bucket like every other stack.

What a first run finds in the account, because an earlier state is lost or somebody made it, is taken over when that is asked for.
"""

import json
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import main
from operations.deployment.approval import apply_approved
from operations.deployment.import_existing import BLOCKS, ExistingResources, import_blocks, managed_addresses
from operations.deployment.state_bucket import refuse_another
from operations.shared.console import terminal
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.stack_json import Document
from operations.shared.terraform import Terraform
from settings import load
from settings.names import STATE_STACK, state_key
from settings.project import Project

LOCAL_STATE = Path("vet-state.tfstate")
"""State of an unfinished first run, in the repository's folder and ignored by git."""

console = terminal()


def run(*, auto_approve: bool = False, adopt: bool = False) -> None:
    """Create or update ``vet-state``.

    :param auto_approve: apply without asking.
    :param adopt: take over what exists already.

    Raises:
        SettingsError: a first-day value is still a placeholder, or the settings are wrong.
        Failure: what stands in the way, and what to do: state_bucket was changed, or a zone that serves people would go.
    """
    settings = load()
    refuse_placeholders(settings)
    main.build_app(settings).synth()
    terraform = Terraform(STATE_STACK, auto_approve=auto_approve)
    if LOCAL_STATE.exists() or not _state_is_in_the_bucket(settings.project, adopt=adopt):
        refuse_another(settings.project)
        _first_run(terraform, settings.project, _existing(adopt=adopt))
    else:
        terraform.init("-reconfigure")
        apply_approved(terraform)
    _show(terraform, settings.project)


def _existing(*, adopt: bool) -> dict[str, str]:
    """What a first run would make and exists, with its import id, by Terraform's address.

    Raises:
        Failure: something does, and it was not asked for to take it over.
    """
    known = managed_addresses(LOCAL_STATE)
    import_ids = {
        address: id_
        for address, id_ in ExistingResources(Document.read(STATE_STACK)).import_ids().items()
        if address not in known
    }
    listed = "\n".join(f"  {address.partition('.')[0]}  {id_}" for address, id_ in import_ids.items())
    if import_ids and not adopt:
        raise Failure(
            f"These exist in the account, and no state knows them:\n{listed}\n"
            "If they are what is left of this platform (docs/runbooks/lost-state-file.md), or yours to use for it, have them taken over\n"
            "as they are, which Terraform's plan shows before you agree:\n  make state ADOPT=yes\n"
            "Otherwise delete them, or choose other names in environments/_project.yaml."
        )
    if import_ids:
        console.print(f"[bold]taken over[/], because it exists:\n{listed}")
    return import_ids


def _first_run(terraform: Terraform, project: Project, existing: dict[str, str]) -> None:
    """Apply with local state, then move the state into the bucket that now exists."""
    console.print(f"[bold]first run[/]: state stays in {LOCAL_STATE} until the bucket {project.state_bucket} exists")
    override = terraform.folder / "local_override.tf.json"
    backend = {"terraform": {"backend": {"local": {"path": str(LOCAL_STATE.resolve())}}}}
    override.write_text(json.dumps(backend))
    imports = terraform.folder / BLOCKS
    imports.write_text(json.dumps(import_blocks(existing)))
    try:
        terraform.init("-reconfigure")
        apply_approved(terraform)
    finally:
        override.unlink()
        imports.unlink()
    console.print(f"[bold]moving the state[/] into s3://{project.state_bucket}/{state_key(STATE_STACK)}")
    # Terraform asks where the state was before; the local backend that it remembers from the init above is the answer.
    terraform.init("-migrate-state", "-force-copy")
    for leftover in (LOCAL_STATE, LOCAL_STATE.with_suffix(".tfstate.backup")):
        leftover.unlink(missing_ok=True)


def _state_is_in_the_bucket(project: Project, *, adopt: bool) -> bool:
    """Whether an earlier run has finished.

    Raises:
        Failure: the bucket's name is taken by somebody else, or it exists without the state that describes it.
    """
    try:
        s3 = boto3.client("s3", region_name=project.region)
        s3.head_bucket(Bucket=project.state_bucket, ExpectedBucketOwner=project.account_id)
    except ClientError as error:
        return _bucket_answer(error, project)
    except BotoCoreError as error:
        raise Failure(
            f"AWS cannot be asked: {error}\nset AWS_PROFILE, or log in (aws sso login), and try again"
        ) from error
    try:
        s3.head_object(Bucket=project.state_bucket, Key=state_key(STATE_STACK))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise Failure(f"s3://{project.state_bucket}/{state_key(STATE_STACK)} cannot be read: {error}") from error
        if adopt:
            return False
        raise Failure(
            f"the bucket {project.state_bucket} exists in your account, but not the state that describes it.\n"
            f"If it is an earlier state bucket, bring the object {state_key(STATE_STACK)} back from its versions\n"
            f"(docs/runbooks/lost-state-file.md), or, if there is none, have the bucket taken over as it is: make state ADOPT=yes.\n"
            "If it is another bucket, choose another state_bucket in environments/_project.yaml."
        ) from error
    return True


def _bucket_answer(error: ClientError, project: Project) -> bool:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status == 404:
        return False
    if status == 403:
        raise Failure(
            f"the bucket {project.state_bucket} belongs to another account, or you may not see it.\n"
            "Choose another state_bucket in environments/_project.yaml, or use credentials of account "
            f"{project.account_id}."
        ) from error
    raise Failure(f"the bucket {project.state_bucket} cannot be looked up: {error}") from error


def _show(terraform: Terraform, project: Project) -> None:
    outputs = terraform.outputs()
    console.print(f"\n[bold green]ready[/]: all state is in s3://{outputs['state_bucket']}")
    console.print(f"Set these name servers for {project.domain} at your registrar:")
    for server in outputs["name_servers"]:
        console.print(f"  {server}")
    console.print("Then: make deploy ENV=dev")
