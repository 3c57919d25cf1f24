"""One operation at a time changes the servers of an environment: a lock in the bucket of the nodes' programs.

It ends with its holder: the holder renews it, and a lock that was not renewed for some minutes may be taken over. Times are
S3's own, so no clock of a terminal matters.
"""

import getpass
import json
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from threading import Event, Thread
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from operations.shared.servers import Cluster

KEY = "operations/lock"
RENEW_SECONDS = 60
EXPIRE_SECONDS = 300
"""A lock that was not renewed for so long has lost its holder."""

REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412")
"""Error codes of a write on condition that does not hold."""


class Held:
    """A lock that this process holds, as long as nobody else has taken it over."""

    def __init__(self, s3: Any, place: dict[str, str], body: bytes, tag: str) -> None:
        self._s3, self._place, self._body, self._tag = s3, place, body, tag
        self._renewed = time.monotonic()
        self._taken_over = False

    def renew(self) -> None:
        """Write it again, so that it does not expire. An attempt that fails is followed by the next one."""
        try:
            self._tag = self._s3.put_object(**self._place, Body=self._body, IfMatch=self._tag)["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSED:
                return
            self._look()
        except BotoCoreError:
            return
        else:
            self._renewed = time.monotonic()

    def _look(self) -> None:
        """Whose it is. An answer that was lost on the way may have been a success: the object is then this process's own, under a new tag."""
        with suppress(BotoCoreError, ClientError):
            response = self._s3.get_object(**self._place)
            self._taken_over = response["Body"].read() != self._body
            self._tag = str(response["ETag"])

    def check(self) -> None:
        """Look before the next step.

        Raises:
            Failure: somebody else has the lock, or may have it, because it could not be renewed for too long.
        """
        late = time.monotonic() - self._renewed > EXPIRE_SECONDS - RENEW_SECONDS
        if late and not self._taken_over:
            self.renew()
            late = time.monotonic() - self._renewed > EXPIRE_SECONDS - RENEW_SECONDS
        if late or self._taken_over:
            raise Failure(
                f"the lock s3://{self._place['Bucket']}/{KEY} "
                + ("was taken over by somebody else" if self._taken_over else "could not be renewed for minutes"),
                "Stopped before the next step; what is done is recorded. See that nobody else is at work on these servers, then"
                " run the same command again",
            )


@contextmanager
def lock(cluster: Cluster, operation: str) -> Iterator[Held]:
    """Hold the lock of an environment's servers; what is given says before each step whether it is still held.

    Raises:
        Failure: somebody else holds it, or S3 does not answer.
    """
    s3, place = cluster.client("s3"), {"Bucket": cluster.names.bucket("nodes"), "Key": KEY}
    held = {"operation": operation, "who": f"{getpass.getuser()} on {socket.gethostname()}", "id": uuid.uuid4().hex}
    body = json.dumps(held).encode()
    try:
        tag = _take(s3, place, body)
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the lock s3://{place['Bucket']}/{KEY} cannot be had: {error}. Nothing was changed") from error
    ended, holding = Event(), Held(s3, place, body, tag)
    renewing = Thread(target=_renew, args=(holding, ended), daemon=True)
    renewing.start()
    try:
        yield holding
    finally:
        ended.set()
        renewing.join()
        with suppress(BotoCoreError, ClientError):  # it expires by itself
            if s3.get_object(**place)["Body"].read() == body:
                s3.delete_object(**place)


def holder(cluster: Cluster) -> str | None:
    """Who holds the lock now and for what; None when nobody does. Raises what boto3 raises."""
    try:
        answer = cluster.client("s3").get_object(Bucket=cluster.names.bucket("nodes"), Key=KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return None if _age(answer) > EXPIRE_SECONDS else _words(answer["Body"].read())


def _take(s3: Any, place: dict[str, str], body: bytes) -> str:
    try:
        return str(s3.put_object(**place, Body=body, IfNoneMatch="*")["ETag"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in REFUSED:
            raise
    response = s3.get_object(**place)
    if _age(response) <= EXPIRE_SECONDS:
        raise Failure(
            f"{_words(response['Body'].read())} is at work on these servers. Wait for it; if it was killed, its lock ends"
            f" {EXPIRE_SECONDS // 60} minutes after. Nothing was changed"
        )
    return str(s3.put_object(**place, Body=body, IfMatch=response["ETag"])["ETag"])


def _renew(holding: Held, ended: Event) -> None:
    while not ended.wait(RENEW_SECONDS):
        holding.renew()


def _age(answer: dict[str, Any]) -> float:
    """Seconds since an object was written, by S3's clock."""
    written: datetime = answer["LastModified"]
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return (now - written).total_seconds()


def _words(body: bytes) -> str:
    try:
        held = json.loads(body)
        return f"make {held['operation']} of {held['who']}"
    except (ValueError, KeyError, TypeError):
        return "somebody"
