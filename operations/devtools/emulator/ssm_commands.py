"""What the emulated servers answer to commands of Systems Manager: no machine runs here."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ssm.models import Command

from operations.devtools.emulator.replacing import replace

HEALTH = "/opt/vet/bin/health"
"""The node program that operations ask first."""


def install() -> None:
    """Let servers say that their cluster is whole, and every other program succeed: no machine runs here.

    moto would send a command without targets, which names its instances, to all that there are.
    """
    respond, targeted = Command.invocation_response, Command._get_instance_ids_from_targets

    def invocation_response(command: Command, instance_id: str, plugin_name: str) -> dict[str, Any]:
        answer: dict[str, Any] = respond(command, instance_id, plugin_name)
        if HEALTH in " ".join(command.parameters.get("commands", [])):
            answer["StandardOutputContent"] = _whole(_servers_beside(command, instance_id))
        return answer

    def instances(command: Command) -> list[str]:
        return targeted(command) if command.targets else []

    replace(Command, "invocation_response", invocation_response)
    replace(Command, "_get_instance_ids_from_targets", instances)


def _servers_beside(command: Command, instance_id: str) -> int:
    """How many servers of an instance's cluster run."""
    ec2 = ec2_backends[command.account_id][command.backend_region]
    (cluster,) = [tag["value"] for tag in ec2.get_instance(instance_id).get_tags() if tag["key"] == "vet:cluster"]
    wanted = {"tag:vet:cluster": [cluster], "tag:vet:role": ["server"], "instance-state-name": ["running"]}
    return sum(len(reservation.instances) for reservation in ec2.all_reservations(filters=wanted))


def _whole(servers: int) -> str:
    facts = {"rke2": "active", "boot": "active", "data": "present", "api": "ready", "etcd": "healthy"}
    facts |= dict.fromkeys(("members", "voting", "servers_ready"), str(servers))
    facts |= {"leader": "yes", "quorum": "yes", "alarms": "", "cordoned": "false", "restore": ""}
    facts |= {"database_bytes": str(64 << 20), "database_bytes_in_use": str(32 << 20), "data_written": "1764000000"}
    return "".join(f"{name}={value}\n" for name, value in facts.items())
