"""The servers of an environment as they are in AWS: find them, run the node programs on them, ask how they are."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from nodes.former_names import FORMER_NAMES
from operations.shared.console import terminal, wait_until, waiting
from operations.shared.environments import named
from operations.shared.errors import ACCESS_DENIED, Failure, code_of
from settings import load
from settings.environment import Environment
from settings.names import Names

PROGRAMS = "/opt/vet/bin"
HOUR = 3600
POLL_SECONDS = (0.5, 1, 2, 5)
"""Waits between two looks at a command; the last one repeats."""


@dataclass(frozen=True)
class Server:
    """A server's machine."""

    slot: int
    """Its place."""

    instance: str
    """EC2 instance id."""

    instance_type: str
    """EC2 type that it runs as."""

    image: str
    """Image that it was started from."""

    running: bool
    """Whether EC2 says that it runs."""

    key_name: str | None = None
    """Key pair that it was started with."""


@dataclass(frozen=True)
class Health:
    """What ``/opt/vet/bin/health`` says on one server. See there."""

    api_ready: bool
    etcd_healthy: bool
    members: int
    voting: int
    servers_ready: int
    booted: bool
    running: bool
    data: bool = True
    """Whether etcd data is on its volume."""

    data_known: bool = True
    """Whether that could be told: a volume that is not mounted, or cannot be read, is no empty one."""

    data_written: int = 0
    """When etcd last wrote to that data: seconds since 1970, 0 if that is not known."""

    leader: bool = True
    """Whether etcd has a leader."""

    database_bytes: int = 0
    database_bytes_in_use: int = 0
    alarms: str = ""
    """etcd's alarms (``NOSPACE``), an empty string if there is none, ``unknown``."""

    cordoned: str = "false"
    """``true``, ``false`` or ``unknown``."""

    restore: str = ""
    """What ``/opt/vet/bin/progress`` says: an empty string, ``unknown``, or run, step and source."""

    @classmethod
    def read(cls, text: str) -> "Health":
        """From the program's NAME=value lines.

        Raises:
            Failure: some are missing.
        """
        said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("vet "))
        if missing := {"api", "etcd", "members", "voting", "servers_ready", "boot", "rke2"} - said.keys():
            raise Failure(f"health does not say {', '.join(sorted(missing))}", output=text.strip() or "it said nothing")
        numbers = ("members", "voting", "servers_ready", "data_written", "database_bytes", "database_bytes_in_use")
        if wrong := [name for name in numbers if not (said.get(name) or "0").isdigit()]:
            raise Failure(f"health gives no number for {', '.join(wrong)}", output=text.strip())
        return cls(
            api_ready=said["api"] == "ready",
            etcd_healthy=said["etcd"] == "healthy",
            members=int(said["members"] or 0),
            voting=int(said["voting"] or 0),
            servers_ready=int(said["servers_ready"] or 0),
            booted=said["boot"] == "active",
            running=said["rke2"] == "active",
            data=said.get("data") == "present",
            data_known=said.get("data") in ("present", "none"),
            data_written=int(said.get("data_written") or 0),
            leader=said.get("leader") == "yes",
            database_bytes=int(said.get("database_bytes") or 0),
            database_bytes_in_use=int(said.get("database_bytes_in_use") or 0),
            alarms=said.get("alarms", "unknown"),
            cordoned=said.get("cordoned", "unknown"),
            restore=said.get("restore", "unknown"),
        )

    def problems(self, servers: int) -> list[str]:
        """What is not as it must be in a whole cluster of so many servers."""
        found = {
            "the API is not ready": not self.api_ready,
            "etcd is not healthy": not self.etcd_healthy,
            f"etcd has {self.members} members, not {servers}": self.members != servers,
            f"{self.voting} members vote, not {servers}": self.voting != servers,
            f"{self.servers_ready} servers are Ready, not {servers}": self.servers_ready != servers,
            "its boot has not finished": not self.booted,
        }
        return [problem for problem, holds in found.items() if holds]


class Cluster:
    """The servers of one environment.

    Raises:
        Failure: There is no such environment.
    """

    def __init__(self, name: str) -> None:
        settings = load()
        self.environment: Environment = named(settings, name)
        self.names = Names(settings.project, self.environment)

    def client(self, service: str) -> Any:
        """A client of an AWS service in the environment's region."""
        return boto3.client(service, region_name=self.environment.region)

    def servers(self) -> list[Server]:
        """The machines by slot. A slot whose machine was terminated is missing.

        Raises:
            Failure: AWS does not answer, or two machines claim one slot.
        """
        wanted = [
            {"Name": "tag:vet:cluster", "Values": [self.names.base]},
            {"Name": "tag:vet:role", "Values": ["server"]},
        ]
        alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        try:
            pages = self.client("ec2").get_paginator("describe_instances").paginate(Filters=[*wanted, alive])
            machines = [machine for page in pages for held in page["Reservations"] for machine in held["Instances"]]
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"cannot list the servers of {self.names.base}: {error}") from error
        found = sorted((_server(machine) for machine in machines), key=lambda server: server.slot)
        if len({server.slot for server in found}) != len(found):
            raise Failure(
                f"two machines claim one slot: {found}", "Find out which one Terraform knows, and stop the other"
            )
        return found

    def run(self, server: Server, program: str, *arguments: str, seconds: int = HOUR) -> str:
        """Run a node program on a server through Session Manager, and return what it printed.

        Raises:
            Failure: It failed, or the server cannot be reached; the text holds the program's last lines.
        """
        command = _command(program, arguments)
        where = f"server {server.slot} ({server.instance})"
        client = self.client("ssm")
        try:
            sent = client.send_command(
                InstanceIds=[server.instance],
                DocumentName="AWS-RunShellScript",
                Comment=f"{self.names.base}: {program}"[:100],
                Parameters={"commands": [command], "executionTimeout": [str(seconds)]},
            )
            result = self._await(client, sent["Command"]["CommandId"], server.instance, seconds)
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"Session Manager does not reach {where}: {error}", code=code_of(error)) from error
        if result["Status"] != "Success":
            said = "\n".join(
                f"{result['StandardOutputContent']}\n{result['StandardErrorContent']}".strip().splitlines()[-12:]
            )
            raise Failure(f"{program} on {where} ended as {result['Status']}", output=said)
        return str(result["StandardOutputContent"])

    def health(self, server: Server) -> Health:
        """How a server is. Raises ``Failure`` when it cannot be asked."""
        return Health.read(self.run(server, "health", seconds=120))

    def leading(self) -> Server:
        """A server for a tunnel to its API: a healthy one or, for somebody who may not run programs on servers, the first that runs. The
        tunnel itself then shows whether the API answers.

        Raises:
            Failure: none is healthy, or none runs.
        """
        try:
            return self.well()
        except Failure as failure:
            running = [server for server in self.servers() if server.running]
            if failure.code not in ACCESS_DENIED or not running:
                raise
            return running[0]

    def well(self) -> Server:
        """The first healthy server: its API is ready and etcd is healthy.

        Raises:
            Failure: none is; it says of each what it answers. Its code is that of the first whom AWS denied.
        """
        with waiting(terminal(), f"asking the servers of {self.names.base}"):
            return self._first_healthy()

    def _first_healthy(self) -> Server:
        answers, codes = [], []
        for server in self.servers():
            if not server.running:
                answers.append(f"server {server.slot}: its machine does not run")
                continue
            try:
                health = self.health(server)
            except Failure as failure:
                answers.append(f"server {server.slot}: {failure.problem}")
                codes.append(failure.code)
                continue
            if health.api_ready and health.etcd_healthy:
                return server
            answers.append(f"server {server.slot}: " + ("etcd is not healthy" if health.api_ready else "no API"))
        found = "\n  ".join(answers) or "there are no machines"
        raise Failure(
            f"no server of {self.names.base} is healthy:\n  {found}",
            "docs/runbooks/lost-server.md tells how to look, docs/runbooks/lost-quorum.md what to do when most are lost",
            code=next((code for code in codes if code in ACCESS_DENIED), ""),
        )

    @staticmethod
    def _await(client: Any, command: str, instance: str, seconds: int) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            try:
                result: dict[str, Any] = client.get_command_invocation(CommandId=command, InstanceId=instance)
            except client.exceptions.InvocationDoesNotExist:  # for a moment after sending
                return None
            return None if result["Status"] in ("Pending", "InProgress", "Delayed") else result

        silent = {"StandardOutputContent": "", "StandardErrorContent": f"no answer in {seconds} s"}
        return wait_until(ended, seconds=seconds + 60, poll=POLL_SECONDS) or {"Status": "TimedOut", **silent}


def _command(program: str, arguments: Sequence[str]) -> str:
    """The shell's line that runs a program; under its former name on a server that was not replaced since it was renamed."""
    command = shlex.join([f"{PROGRAMS}/{program}", *arguments])
    for former in (old for old, new in FORMER_NAMES.items() if new == program):
        before = shlex.join([f"{PROGRAMS}/{former}", *arguments])
        command = f"if [ -x {PROGRAMS}/{program} ]; then {command}; else {before}; fi"
    return command


def names_of(servers: Sequence[Server]) -> str:
    """Slots for a message."""
    return ", ".join(f"server {server.slot}" for server in servers) or "none"


def _server(machine: dict[str, Any]) -> Server:
    tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
    if not tags.get("vet:slot", "").isdigit():
        raise Failure(
            f"the machine {machine['InstanceId']} has the tags of a server, and no slot (vet:slot): Terraform did not make it",
            "Find out who did, and stop it or correct its tags",
        )
    return Server(
        slot=int(tags["vet:slot"]),
        instance=machine["InstanceId"],
        instance_type=machine["InstanceType"],
        image=machine["ImageId"],
        running=machine["State"]["Name"] == "running",
        key_name=machine.get("KeyName"),
    )
