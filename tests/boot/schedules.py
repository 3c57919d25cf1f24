"""Schedules of faults from a seed, played on three servers that run etcd itself; then an operator does what the messages say.

What must hold in the end: one cluster of three that takes writes, no two that ever did, no volume with data formatted and no member's data
set aside, nothing acknowledged that is lost unless the schedule destroyed the data of a majority, and an operator who gets on by repeating.
"""

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.boot.etcd_sandbox import EtcdSandbox, Writer
from tests.boot.schedule_servers import Servers, damage

SERVICES = ("s3api", "secretsmanager", "ssm", "")
ANSWERS = (
    "An error occurred (ThrottlingException): Rate exceeded",
    "An error occurred (AccessDenied): Access Denied",
    "<html>502 Bad Gateway</html>",
    "Read timeout on endpoint URL",
)


@dataclass(frozen=True)
class Event:
    """One thing that happens: what, to which server, and a number whose meaning depends on what."""

    what: str
    slot: int
    number: int

    def __str__(self) -> str:
        return SENTENCES[self.what].format(
            slot=self.slot,
            next=self.next,
            number=self.number,
            service=SERVICES[self.number % len(SERVICES)] or "every service",
            answer=ANSWERS[self.number % len(ANSWERS)],
        )

    @property
    def next(self) -> int:
        """The other server, where two take part."""
        return (self.slot + 1) % 3


SENTENCES = {
    "off": "server {slot} loses power",
    "crash": "server {slot} loses power, and again {number} calls into its next boot",
    "boot": "all that are off boot, server {slot} first",
    "emptied": "server {slot} loses power, and its volume is emptied",
    "replaced": "server {slot} is replaced, with a blank volume",
    "renewed": "server {slot} is replaced, with its volume",
    "copied": "server {slot} is replaced, with a copy of its volume",
    "exchanged": "servers {slot} and {next} are replaced, with each other's volume",
    "damaged": "server {slot} loses power, and the beginning of its file system is damaged",
    "full": "the volume of server {slot} is full: its etcd ends",
    "aws": "{number} calls of {service} are answered: {answer}",
    "marker": "the marker is deleted by mistake",
    "clock": "the API's clock is {number} minutes off",
    "drift": "the clock of server {slot} is {number} minutes off",
    "snapshot": "a snapshot is taken on server {slot}",
    "rejoin": "the operator says rejoin on server {slot}, interrupted after {number} calls, and again",
    "restore": "all lose power, {slot} and {next} their volumes, and the restore is interrupted after {number} calls",
}
DESTROYING = {"emptied": 1, "replaced": 1, "restore": 2}
"""How many volumes an event destroys permanently."""


def draw(seed: str, number: int) -> tuple[Event, ...]:
    """The schedule with a number, from a seed; the same for ever."""
    dice = random.Random(f"{seed}/{number}")
    return tuple(
        Event(dice.choice(list(SENTENCES)), dice.randrange(3), dice.randrange(1, 40)) for _ in range(dice.randint(2, 6))
    )


@dataclass
class Play:
    """One schedule under way."""

    sandbox: EtcdSandbox

    def __post_init__(self) -> None:
        self.servers = Servers(self.sandbox)
        self.writer = Writer(self.sandbox)

    def happen(self, event: Event) -> None:
        """Let one event happen, with writes before and after."""
        self.writer.append()
        if event.what in ("aws", "marker", "clock"):
            self._around(event)
        elif event.what in ("copied", "replaced", "renewed", "exchanged", "emptied", "damaged", "full", "restore"):
            self._to_volumes(event)
        else:
            self._to_server(event)
        self.writer.append()

    def _around(self, event: Event) -> None:
        match event.what:
            case "aws":
                service = SERVICES[event.number % len(SERVICES)]
                self.sandbox.change(aws_failures=[[service, event.number, ANSWERS[event.number % len(ANSWERS)]]])
            case "marker":
                key = f"marker/{self.sandbox.inputs.vpc_id}"
                self.sandbox.client("s3").delete_object(Bucket=self.sandbox.inputs.nodes_bucket, Key=key)
            case "clock":
                self.sandbox.change(api_clock=event.number * 60)

    def _to_server(self, event: Event) -> None:
        servers, slot = self.servers, event.slot
        match event.what:
            case "off":
                servers.power_off(slot)
            case "crash":
                servers.power_off(slot)
                servers.crash_in_boot(slot, event.number)
            case "boot":
                servers.boot(sorted(servers.off, key=lambda off: off != slot))
            case "drift":
                (servers.machines[slot].folder / "clock").write_text(str(event.number * 60))
            case "snapshot" if slot not in servers.off:
                servers.machines[slot].run("snapshot", f"taken-{len(self.sandbox.state['snapshots'])}")
            case "rejoin" if slot not in servers.off:
                servers.rejoin(slot, event.number)

    def _to_volumes(self, event: Event) -> None:
        servers, slot = self.servers, event.slot
        machine = servers.power_off(slot)
        match event.what:
            case "emptied":
                self._empty(slot)
            case "replaced":
                servers.replace_machine(slot, None)
            case "renewed":
                servers.replace_machine(slot, machine.volume)
            case "copied":
                self._copy(slot)
            case "exchanged":
                servers.power_off(event.next)
                self._attach({slot: servers.machines[event.next].volume, event.next: machine.volume})
            case "damaged":
                damage(machine)
            case "full":
                machine.on_volume("full", whole=True).touch()
            case "restore":
                for each in range(3):
                    servers.power_off(each)
                self._empty(slot)
                self._empty(event.next)
                servers.interrupt_restore = event.number

    def _attach(self, volumes: dict[int, str | None]) -> None:
        """Replace servers, with other volumes than their own, which are remembered."""
        for slot, volume in volumes.items():
            own = self.servers.originals.setdefault(slot, str(self.servers.machines[slot].volume))
            self.servers.replace_machine(slot, volume)
            if volume == own:
                del self.servers.originals[slot]

    def _empty(self, slot: int) -> None:
        volume = self.servers.machines[slot].on_volume("", whole=True)
        shutil.rmtree(volume)
        (volume / "files").mkdir(parents=True)

    def _copy(self, slot: int) -> None:
        copy = self.sandbox.new_volume()
        original = self.servers.machines[slot].on_volume("", whole=True)
        shutil.copytree(original, self.sandbox.folder / "volumes" / copy, dirs_exist_ok=True)
        self._attach({slot: copy})


def play(sandbox: EtcdSandbox, schedule: Iterable[Event]) -> str | None:
    """Play a schedule to its end: what it broke, in words, or None."""
    events = list(schedule)
    run = Play(sandbox)
    for event in events:
        run.happen(event)
        if problems := [*sandbox.problems(), *run.servers.problems]:
            return f"after {str(event)!r}: {'; '.join(problems)}"
    got_whole = run.servers.recover()
    if problems := [*sandbox.problems(), *run.servers.problems]:
        return "; ".join(problems)
    if not got_whole:
        return "\n".join(["the operator does not get on; the servers said:", *run.servers.last_logs[-4:]])
    lost = run.writer.lost()
    if lost and not may_lose(events):
        return f"{len(lost)} acknowledged writes are lost, and a majority's data was never destroyed: {lost[:3]}"
    return None if run.writer.append() else "the cluster takes no write"


def may_lose(events: Iterable[Event]) -> bool:
    """Whether a schedule destroys the data of a majority: each volume that it empties is one of the three, and a server that got another's
    volume has, in the meantime, not its own."""
    destroyed = {(event.what, event.slot) for event in events if event.what in DESTROYING}
    count = sum(DESTROYING[what] for what, _ in destroyed)
    exchanged = any(event.what in ("exchanged", "copied") for event in events)
    return count >= (1 if exchanged else 2)


def shortest(schedule: tuple[Event, ...], breaks: Callable[[tuple[Event, ...]], bool]) -> tuple[Event, ...]:
    """Leave events out of a schedule, one after the other, as long as what is left still breaks something."""
    for leaving in range(len(schedule)):
        shorter = (*schedule[:leaving], *schedule[leaving + 1 :])
        if breaks(shorter):
            return shortest(shorter, breaks)
    return schedule
