"""A sandbox of machines for the real node programs: each has a root folder, and a PATH that begins with stand-ins for
what would change a machine.

The programs, bash, tar, sha256sum, gpgv and the AWS CLI are the real ones; S3, Secrets Manager, Parameter Store and EC2
are an emulator.
"""

import fcntl
import gzip
import hashlib
import io
import json
import tarfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import boto3

from nodes.boot import agent_user_data, bundle, server_user_data
from nodes.inputs import ClusterInputs
from tests.boot.machine import STOPPED, Machine, stand_in_program, stand_in_script
from tests.cluster_inputs import COMMON, DOCUMENTED

__all__ = ["STOPPED", "SUBNETS", "Machine", "Sandbox"]

SUBNETS = ("10.0.10.10", "10.0.11.10", "10.0.12.10")


@dataclass
class Sandbox:
    """Volumes, buckets, secrets and the model of RKE2 that all machines of one test share."""

    folder: Path
    endpoint: str
    stand_ins: str
    servers: int = 1
    hardening: str = ""
    machine_type: ClassVar[type[Machine]] = Machine
    identity: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    issuer_key: dict[str, str] = field(default_factory=lambda: {"kty": "RSA", "kid": "1", "n": "public", "e": "AQAB"})

    def __post_init__(self) -> None:
        for name in ("volumes", "internet", "machines"):
            (self.folder / name).mkdir(parents=True)
        state: dict[str, Any] = {
            "clusters": {},
            "machines": {},
            "unreachable": [],
            "violations": [],
            "agents": [],
            "tokens": [],
            "accounts": [],
        }
        state |= {
            "applied": [],
            "snapshots": [],
            "resets": [],
            "aws_failures": [],
            "load_balancer": [],
            "issuer": self.inputs.issuer_url,
        }
        state |= {"jwk": self.issuer_key, "servers": list(SUBNETS[: self.servers])}
        self.write(state)
        self._publish_downloads()
        self._create_in_aws()

    @cached_property
    def inputs(self) -> ClusterInputs:
        """What user data is rendered from; names are this sandbox's own, so that sandboxes share the emulator."""
        release = replace(
            DOCUMENTED,
            **{
                f"{name}_sha256": hashlib.sha256(stand_in_program(name)).hexdigest()
                for name in ("kubectl", "ecr_provider")
            },
        )
        return ClusterInputs(
            cluster="vet-dev",
            environment="dev",
            region="us-east-1",
            account_id="123456789012",
            vpc_id=f"vpc-{self.identity}",
            api_host="api.test",
            server_addresses=" ".join(SUBNETS[: self.servers]),
            nodes_bucket=f"nodes-{self.identity}",
            snapshots_bucket=f"etcd-{self.identity}",
            issuer_bucket=f"issuer-{self.identity}",
            issuer_url=f"https://issuer-{self.identity}.s3.us-east-1.amazonaws.com",
            server_token_secret=f"{self.identity}/server-token",
            agent_token_secret=f"{self.identity}/agent-token",
            credentials_secret_prefix=f"{self.identity}/credentials",
            ca_parameter=f"/{self.identity}/cluster-ca",
            hardening=self.hardening,
            **COMMON | {"release": release},
        )

    @property
    def state(self) -> dict[str, Any]:
        """The model as it is now; never the half of what a stand-in is writing."""
        with self._alone():
            state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
            return state

    def write(self, state: dict[str, Any]) -> None:
        """Replace the model."""
        with self._alone():
            (self.folder / "state.json").write_text(json.dumps(state))

    def change(self, **parts: Any) -> None:
        """Replace parts of the model."""
        with self._alone():
            file = self.folder / "state.json"
            file.write_text(json.dumps(json.loads(file.read_text()) | parts))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Have the model to oneself; stand-ins wait."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return boto3.client(
            service, "us-east-1", endpoint_url=self.endpoint, aws_access_key_id="test", aws_secret_access_key="test"
        )

    def secret(self, name: str) -> str | None:
        """A secret's value, or None while it is empty."""
        client = self.client("secretsmanager")
        try:
            return str(client.get_secret_value(SecretId=f"{self.identity}/{name}")["SecretString"])
        except client.exceptions.ResourceNotFoundException:
            return None

    def ca(self) -> str:
        """The parameter with the cluster's CA."""
        return str(self.client("ssm").get_parameter(Name=self.inputs.ca_parameter)["Parameter"]["Value"])

    def marker(self) -> str | None:
        """The marker's text, or None."""
        client = self.client("s3")
        try:
            return str(
                client.get_object(Bucket=self.inputs.nodes_bucket, Key=f"marker/{self.inputs.vpc_id}")["Body"]
                .read()
                .decode()
            )
        except client.exceptions.NoSuchKey:
            return None

    def new_volume(self) -> str:
        """A blank data volume."""
        volume = f"vol-{uuid.uuid4().hex[:17]}"
        (self.folder / "volumes" / volume / "files").mkdir(parents=True)
        return volume

    def server(self, slot: int, volume: str | None = None) -> "Machine":
        """A freshly created server in a slot; with the volume of an earlier one it is its replacement."""
        volume = volume or self.new_volume()
        text = server_user_data(self.inputs, slot=slot, data_volume_id=volume)
        return self.machine_type(self, SUBNETS[slot], text, volume)

    def running_cluster(self) -> Sequence["Machine"]:
        """A cluster as its servers left it, without booting them: data on the volumes, everything published, all
        running."""
        machines = [self.server(slot) for slot in range(self.servers)]
        cluster: dict[str, Any] = {"token": "server-token", "members": {}, "nodes": {}, "leases": {}, "secrets": []}
        for number, machine in enumerate(machines):
            database = machine.on_volume("server/db/etcd")
            (database / "member/wal").mkdir(parents=True)
            (database / "name").write_text(f"{machine.name}-{number}")
            (database / "cluster").write_text("cluster-0")
            (machine.on_volume("server/tls")).mkdir()
            (machine.on_volume("server/tls/server-ca.crt")).write_text("CA of cluster-0\n")
            (machine.on_volume("signature", whole=True)).write_text("ext4 vet-data")
            machine.mark_booted()
            cluster["members"][f"{machine.name}-{number}"] = {
                "id": f"{number:016x}",
                "address": machine.address,
                "learner": False,
            }
            cluster["nodes"][machine.name] = {
                "server": True,
                "ready": "True",
                "provider": "",
                "address": machine.address,
            }
            cluster["secrets"].append(f"{machine.name}.node-password.rke2")
        addresses = [machine.address for machine in machines]
        running = {address: {"running": True, "cluster": "cluster-0"} for address in addresses}
        self.change(clusters={"cluster-0": cluster}, machines=running, load_balancer=addresses, tokens=["stored-token"])
        self._publish(f"state=ready\nvolume={machines[0].volume}\n")
        return machines

    def _publish(self, marker: str) -> None:
        secrets = self.client("secretsmanager")
        soon = (datetime.now(UTC) + timedelta(hours=11.5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        document = f'{{"kind":"ExecCredential","status":{{"token":"stored-token","expirationTimestamp":"{soon}"}}}}'
        values = {"server-token": "server-token", "agent-token": "agent-token"}
        values |= {f"credentials/{role}": document for role in ("admin", "deploy", "read")}
        for name, value in values.items():
            secrets.put_secret_value(SecretId=f"{self.identity}/{name}", SecretString=value)
        self.client("ssm").put_parameter(Name=self.inputs.ca_parameter, Value="CA of cluster-0", Overwrite=True)
        self.client("s3").put_object(
            Bucket=self.inputs.nodes_bucket, Key=f"marker/{self.inputs.vpc_id}", Body=marker.encode()
        )

    def bootstrap_cluster(self) -> list["Machine"]:
        """All servers of the sandbox, booted one after the other into one cluster."""
        machines = [self.server(slot) for slot in range(self.servers)]
        for machine in machines:
            result = machine.boot()
            assert result.code == 0, result.log
        assert self.problems() == []
        self.change(load_balancer=[machine.address for machine in machines])
        return machines

    def problems(self) -> list[str]:
        """What must never be, whatever happened: a second cluster, joins at the same time, members that stand twice."""
        state = self.state
        problems = list(state["violations"])
        if len(state["clusters"]) > 1:
            problems.append(f"{len(state['clusters'])} clusters exist: {sorted(state['clusters'])}")
        for name, cluster in state["clusters"].items():
            addresses = sorted(member["address"] for member in cluster["members"].values())
            if len(set(addresses)) != len(addresses):
                problems.append(f"{name} has two members with one address: {addresses}")
        return problems

    def members(self) -> list[str]:
        """Addresses of the only cluster's etcd members."""
        (cluster,) = self.state["clusters"].values()
        return sorted(member["address"] for member in cluster["members"].values())

    def agent(self) -> "Machine":
        """A freshly created agent."""
        return Machine(self, f"10.0.10.{100 + len(self.state['agents'])}", agent_user_data(self.inputs), None)

    def _publish_downloads(self) -> None:
        internet = self.folder / "internet"
        files = {f"bin/{name}": stand_in_script(name) for name in ("rke2", "rke2-killall.sh")}
        archive = _tar(files)
        (internet / "rke2.linux-amd64.tar.gz").write_bytes(archive)
        (internet / "sha256sum-amd64.txt").write_text(
            f"{hashlib.sha256(archive).hexdigest()}  rke2.linux-amd64.tar.gz\n"
        )
        (internet / "kubectl").write_bytes(stand_in_program("kubectl"))
        (internet / "ecr-credential-provider-linux-amd64").write_bytes(stand_in_program("ecr_provider"))

    def _create_in_aws(self) -> None:
        s3, secrets, ssm = (self.client(service) for service in ("s3", "secretsmanager", "ssm"))
        for bucket in (self.inputs.nodes_bucket, self.inputs.snapshots_bucket, self.inputs.issuer_bucket):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=self.inputs.nodes_bucket, Key=bundle().key, Body=bundle().content)
        s3.put_object(Bucket=self.inputs.nodes_bucket, Key="nodes/servers", Body=self.inputs.server_addresses.encode())
        for name in ("server-token", "agent-token", "credentials/admin", "credentials/deploy", "credentials/read"):
            secrets.create_secret(Name=f"{self.identity}/{name}")
        ssm.put_parameter(Name=self.inputs.ca_parameter, Type="String", Value="pending")


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.mode, info.size = 0o755, len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()
