"""``make recover-state ENV=prod [VERSION=id]``: bring a stack's state back from the versions that the bucket keeps.

A deleted state has a delete marker on top: it is removed, and the version below is current again. A broken one is covered by a copy of an
older version. Nothing is ever lost by it: every version stays.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.box import SIMPLE
from rich.table import Table

from operations.shared.consent import agreed
from operations.shared.console import terminal
from operations.shared.errors import Failure
from settings import load
from settings.names import state_key

console = terminal()


@dataclass(frozen=True)
class Version:
    """One version of a state, or the marker of its deletion."""

    id: str
    written: datetime
    size: int
    deleted: bool
    """A delete marker, which holds nothing."""

    current: bool


def run(stack: str, version: str | None, *, dry_run: bool = False, auto_approve: bool = False) -> None:
    """Bring the state back, and show what there was.

    :param version: id of the version that is wanted; left out, the newest one below a deletion.
    :param dry_run: say what would be done, and change nothing.

    Raises:
        Failure: there is nothing to bring back; the text says why.
    """
    project = load().project
    s3 = boto3.client("s3", region_name=project.region)
    try:
        history = versions(s3, project.state_bucket, state_key(stack))
        console.print(_table(history))
        refuse_while_locked(s3, project.state_bucket, stack)
        if dry_run:
            chosen = choose(f"s3://{project.state_bucket}/{state_key(stack)}", history, version)
            console.print(f"{state_key(stack)} would again be version {chosen.id} of {chosen.written:%Y-%m-%d %H:%M}")
            return
        if not auto_approve and not agreed(console, f"Bring back {version or 'the newest below a deletion'}?"):
            raise Failure("nothing was changed")
        console.print(recover(s3, project.state_bucket, state_key(stack), history, version))
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"s3://{project.state_bucket} cannot be read or written: {error}\nmake doctor says more"
        ) from error
    console.print(f"Now look before you change anything: make plan ENV={stack.removeprefix('vet-')}")


def refuse_while_locked(s3: Any, bucket: str, stack: str) -> None:
    """Stop while somebody holds the state's lock: what they write at their end would cover what was brought back.

    Raises:
        Failure: naming who holds it, and how it is released when nobody is at it.
    """
    try:
        text = s3.get_object(Bucket=bucket, Key=f"{state_key(stack)}.tflock")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return
        raise
    try:
        held = dict(json.loads(text))
    except (ValueError, TypeError):
        held = {}
    raise Failure(
        f"the state of {stack} is locked by {held.get('Who', 'somebody')} since {held.get('Created', 'an unknown time')}:"
        " nothing was changed.\nWait; if nobody is at it: terraform -chdir=cdktf.out/stacks/"
        f"{stack} force-unlock {held.get('ID', 'ID')}"
    )


def versions(s3: Any, bucket: str, key: str) -> list[Version]:
    """Every version of an object, newest first."""
    history = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for kind in ("Versions", "DeleteMarkers"):
            for each in page.get(kind, []):
                if each["Key"] == key:  # the prefix finds the lock file as well
                    deleted = kind == "DeleteMarkers"
                    size = each.get("Size", 0)
                    history.append(Version(each["VersionId"], each["LastModified"], size, deleted, each["IsLatest"]))
    return sorted(history, key=lambda each: (each.current, each.written), reverse=True)


def choose(url: str, candidates: Sequence[Version], wanted: str | None) -> Version:
    """The version that is to be current again: the one that is wanted, or the newest below a deletion.

    Raises:
        Failure: there is no such version, or the state is there and no version was named.
    """
    whole = {each.id: each for each in candidates if not each.deleted}
    if not whole:
        raise Failure(f"{url} has no version that holds anything: it was never written, or its versions are gone")
    if wanted is not None:
        if wanted not in whole:
            raise Failure(f"{url} has no version {wanted} that holds anything; the table shows which there are")
        return whole[wanted]
    if not candidates[0].deleted:
        raise Failure(f"{url} is there. If it is broken, name the version that you want: VERSION=id from the table")
    return next(iter(whole.values()))


def recover(s3: Any, bucket: str, key: str, candidates: Sequence[Version], wanted: str | None) -> str:
    """Make a version current; returns what was done. Raises ``Failure`` as :func:`choose` does."""
    newest = choose(f"s3://{bucket}/{key}", candidates, wanted)
    if wanted is not None:
        source = {"Bucket": bucket, "Key": key, "VersionId": wanted}
        s3.copy_object(Bucket=bucket, Key=key, CopySource=source)
        return f"[green]done[/]: {key} is again what version {wanted} was"
    markers = [each for each in candidates if each.deleted]
    for marker in (each for each in markers if each.written >= newest.written):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=marker.id)
    return f"[green]done[/]: the deletion of {key} is taken back; it is again what it was at {newest.written:%Y-%m-%d %H:%M}"


def _table(candidates: Sequence[Version]) -> Table:
    table = Table("written", "version", "bytes", "", box=SIMPLE, pad_edge=False)
    for each in candidates[:10]:
        note = "deletion" if each.deleted else "current" if each.current else ""
        table.add_row(f"{each.written:%Y-%m-%d %H:%M:%S}", each.id, "" if each.deleted else str(each.size), note)
    return table
