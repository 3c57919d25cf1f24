"""An environment's servers whose AWS is simulated, for the tests of the operations that change them."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.shared.health import Health
from operations.shared.servers import Cluster, Server

WHOLE = Health(True, True, 3, 3, 3, True, True)
BODY = b"\0" * 16 + b"\xed\xda\x0c\xed" + b"\0" * (1024 + 12)
"""As much of a snapshot as is looked at: the magic number of etcd's database, and 32 bytes after whole blocks."""
SNAPSHOTS = [f"etcd-snapshot-ip-10-0-10-10.ec2.internal-{number}" for number in (1700000000, 1600000000)]
USER_DATA = "#cloud-config\nRKE2_VERSION='v1.27.16+rke2r2'\nVPC_ID='${aws_vpc.main.id}'\nBUNDLE_SHA256='new'\n"
OLD = USER_DATA.replace("new", "old").replace("v1.27.16+rke2r2", "v1.26.15+rke2r1")
"""Of the machines that a test begins with: the minor of Kubernetes before."""


def with_velero(name: str, **more: Any) -> Cluster:
    """An environment with ``services.velero`` on, and further settings of it."""
    cluster = Cluster(name)
    services = cluster.environment.services
    velero = services.velero.model_copy(update={"enabled": True, **more})
    services = services.model_copy(update={"velero": velero})
    cluster.environment = cluster.environment.model_copy(update={"services": services})
    return cluster


@dataclass
class Fake(Cluster):
    """A cluster whose AWS is simulated: what it is asked to run is recorded, what servers say is chosen."""

    name: str = "prod"
    healths: dict[int, Health] = field(default_factory=lambda: dict.fromkeys(range(3), WHOLE))
    down: set[int] = field(default_factory=set)
    user_data: dict[int, str] = field(default_factory=lambda: dict.fromkeys(range(3), OLD))
    calls: list[str] = field(default_factory=list)
    after: Callable[[str, int], None] = lambda program, slot: None
    objects: dict[str, bytes] = field(default_factory=dict)
    age: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    generation: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(3), 0))
    tags: dict[str, str] = field(default_factory=dict)
    put_tags: int = 0
    """How many objects were put: the bucket is encrypted by a key of KMS, so each has an ETag of its own, equal content or not."""

    def __post_init__(self) -> None:
        super().__init__(self.name)
        folder = f"{self.names.bucket('snapshots')}/vet-prod"
        self.objects |= {f"{folder}/{key}": BODY for key in [*reversed(SNAPSHOTS), f".metadata/{SNAPSHOTS[0]}"]}

    def servers(self) -> list[Server]:
        """All that are not down."""
        slots = [slot for slot in range(self.environment.servers.count) if slot not in self.down]
        return [Server(slot, f"i-{slot}-{self.generation[slot]}", "t3.large", "ami-1", running=True) for slot in slots]

    def run(self, server: Server, program: str, *arguments: str, seconds: int = 0) -> str:
        """Record, then let the test change the world."""
        self.calls.append(" ".join([program, str(server.slot), *arguments]))
        self.after(program, server.slot)
        return ""

    def health(self, server: Server) -> Health:
        """As chosen."""
        return self.healths[server.slot]

    def client(self, service: str) -> Any:
        """S3 with snapshots, EC2 with user data and one image."""
        return FakeClient(self)


@dataclass
class FakeClient:
    """The few calls of boto3 that operations make."""

    cluster: Fake

    def get_paginator(self, _: str) -> "FakeClient":
        """Itself: it has one page."""
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's own names
        """Snapshots in the order in which they were put, one an hour, and RKE2's notes on them."""
        now = datetime(2026, 1, 2, tzinfo=UTC)
        names = [name for name in self.cluster.objects if name.startswith(f"{Bucket}/{Prefix}")]
        return [
            {
                "Contents": [
                    {
                        "Key": name.removeprefix(f"{Bucket}/"),
                        "LastModified": now + timedelta(hours=hour),
                        "Size": len(self.cluster.objects[name]),
                    }
                    for hour, name in enumerate(names)
                ]
            }
        ]

    def get_object(self, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:  # noqa: N803
        """What was put, just now by S3's clock."""
        name = f"{Bucket}/{Key}"
        if name not in self.cluster.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        now, body = datetime.now(UTC), self.cluster.objects[name]
        first, _, last = Range.removeprefix("bytes=").partition("-")
        if Range:
            body = body[int(first) : int(last) + 1] if first else body[-int(last) :]
        return {
            "Body": io.BytesIO(body),
            "ETag": self.cluster.tags.get(name, ""),
            "LastModified": now - timedelta(seconds=self.cluster.age.get(Key, 0)),
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(now, usegmt=True)}},
        }

    def put_object(self, Bucket: str, Key: str, Body: bytes, **condition: str) -> dict[str, Any]:  # noqa: N803
        """With S3's conditions."""
        name = f"{Bucket}/{Key}"
        there = self.cluster.objects.get(name)
        if ("IfNoneMatch" in condition and there is not None) or (
            "IfMatch" in condition and condition["IfMatch"] != self.cluster.tags.get(name, "")
        ):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.cluster.objects[name] = Body
        self.cluster.age.pop(Key, None)
        self.cluster.put_tags += 1
        self.cluster.tags[name] = f'"{self.cluster.put_tags}"'
        return {"ETag": self.cluster.tags[name]}

    def delete_object(self, Bucket: str, Key: str) -> None:  # noqa: N803
        """Gone."""
        self.cluster.objects.pop(f"{Bucket}/{Key}", None)

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """What RKE2 noted at an object."""
        return {"Metadata": self.cluster.metadata.get(Key, {})}

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        """The join token."""
        return {"SecretString": "server-token"}

    def describe_images(self, **_: Any) -> dict[str, Any]:
        """An old and a new image."""
        return {"Images": [{"ImageId": "ami-0", "CreationDate": "2025"}, {"ImageId": "ami-1", "CreationDate": "2026"}]}

    def describe_instance_attribute(self, InstanceId: str, Attribute: str) -> dict[str, Any]:  # noqa: N803
        """User data that the machine was started with."""
        text = self.cluster.user_data[int(InstanceId.split("-")[1])]
        return {"UserData": {"Value": base64.b64encode(text.encode()).decode()}}

    def modify_instance_attribute(self, InstanceId: str, DisableApiTermination: dict[str, bool]) -> None:  # noqa: N803
        """Recorded."""
        self.cluster.calls.append(f"unprotect {InstanceId.split('-')[1]}")
