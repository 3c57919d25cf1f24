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
from operations.shared.health import Health
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
        servers = sorted((_server(machine) for machine in machines), key=lambda server: server.slot)
        if len({server.slot for server in servers}) != len(servers):
            raise Failure(
                f"two machines claim one slot: {servers}", "Find out which one Terraform knows, and stop the other"
            )
        return servers

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
            output = "\n".join(
                f"{result['StandardOutputContent']}\n{result['StandardErrorContent']}".strip().splitlines()[-12:]
            )
            raise Failure(f"{program} on {where} ended as {result['Status']}", output=output)
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
        reasons = "\n  ".join(answers) or "there are no machines"
        raise Failure(
            f"no server of {self.names.base} is healthy:\n  {reasons}",
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
