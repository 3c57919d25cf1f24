"""Session Manager for the sandbox: what is sent to an instance of the emulator is run by one of its machines."""

from threading import Thread
from typing import Any

from moto.ssm.models import Command

from tests.boot.machine import Machine

_machines: dict[str, Machine] = {}


def enrol(instance: str, machine: Machine) -> None:
    """Let a machine run what is sent to an instance."""
    _machines[instance] = machine


def install() -> None:
    """Teach moto to run commands; once, before its server starts.

    It would say that each has succeeded, and send those without targets, which name their instances, to all that there are.
    """
    respond, targeted = Command.invocation_response, Command._get_instance_ids_from_targets

    def invocation_response(command: Command, instance_id: str, plugin_name: str) -> dict[str, Any]:
        answer: dict[str, Any] = respond(command, instance_id, plugin_name)
        if machine := _machines.get(instance_id):
            answer["Status"] = "InProgress"
            Thread(target=_run, args=(machine, "\n".join(command.parameters["commands"]), answer)).start()
        return answer

    # mypy warns of replacing methods; moto has no other way to be taught.
    Command.invocation_response = invocation_response  # type: ignore[method-assign]
    Command._get_instance_ids_from_targets = (  # type: ignore[method-assign]
        lambda command: targeted(command) if command.targets else []
    )


def _run(machine: Machine, lines: str, answer: dict[str, Any]) -> None:
    done = machine.shell(lines)
    answer["StandardOutputContent"] = done.stdout
    answer["Status"] = "Failed" if done.returncode else "Success"
