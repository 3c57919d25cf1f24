"""Schedules of faults from a seed, played on three servers that run etcd itself; then an operator does what the messages say.

What must hold in the end: one cluster of three that takes writes, no two that ever did, nothing acknowledged that is lost unless the
schedule destroyed the data of a majority, and an operator who gets on by repeating.
"""

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.boot.etcd_world import EtcdMachine, EtcdWorld, Writer
from tests.boot.machine import STOPPED, Result
from tests.boot.sandbox import SUBNETS

SERVICES = ("s3api", "secretsmanager", "ssm", "")
ANSWERS = (
    "An error occurred (ThrottlingException): Rate exceeded",
    "An error occurred (AccessDenied): Access Denied",
    "<html>502 Bad Gateway</html>",
    "Read timeout on endpoint URL",
)
IMPATIENT = {"VET_PATIENCE": "12", "VET_CONFIRMATIONS": "2"}
ROUNDS = 6
"""How often the operator tries again until that counts as being stuck."""


@dataclass(frozen=True)
class Event:
    """One thing that happens: what, to which server, and a number whose meaning depends on what."""

    what: str
    slot: int
    number: int

    def __str__(self) -> str:
        return SENTENCES[self.what].format(
            slot=self.slot,
            number=self.number,
            service=SERVICES[self.number % len(SERVICES)] or "every service",
            answer=ANSWERS[self.number % len(ANSWERS)],
        )


SENTENCES = {
    "off": "server {slot} loses power",
    "crash": "server {slot} loses power, and again {number} calls into its next boot",
    "boot": "all that are off boot, server {slot} first",
    "emptied": "server {slot} loses power, and its volume is emptied",
    "replaced": "server {slot} is made anew with a blank volume",
    "copied": "server {slot} is made anew with a copy of its volume",
    "aws": "{number} calls of {service} are answered: {answer}",
    "marker": "the marker is deleted by mistake",
    "clock": "the API's clock is {number} minutes off",
    "snapshot": "a snapshot is taken on server {slot}",
}
DESTROYING = frozenset({"emptied", "replaced"})


def draw(seed: str, number: int) -> tuple[Event, ...]:
    """The schedule with a number, from a seed; the same for ever."""
    dice = random.Random(f"{seed}/{number}")
    return tuple(
        Event(dice.choice(list(SENTENCES)), dice.randrange(3), dice.randrange(1, 40)) for _ in range(dice.randint(2, 6))
    )


@dataclass
class Play:
    """One schedule under way."""

    world: EtcdWorld
    machines: list[EtcdMachine] = field(default_factory=list)
    off: set[int] = field(default_factory=set)
    originals: dict[int, str | None] = field(default_factory=dict)
    """Volumes that a copy was attached in place of, by slot."""

    said: list[str] = field(default_factory=list)
    """What the last attempts to boot said, for the report of a failure."""

    def __post_init__(self) -> None:
        self.machines = self.world.standing()
        self.writer = Writer(self.world)

    def happen(self, event: Event) -> None:
        """Let one event happen, with writes before and after."""
        self.writer.append()
        machine = self.machines[event.slot]
        if event.what in ("off", "crash", "emptied", "replaced", "copied"):
            machine.power_off()
            self.off.add(event.slot)
        match event.what:
            case "crash":
                machine.crash_after("", event.number)
                machine.boot(**IMPATIENT)
                machine.power_off()
                (machine.folder / "crash-after").unlink(missing_ok=True)
            case "emptied":
                self._empty(machine)
            case "replaced":
                self.machines[event.slot] = self.world.server(event.slot)
            case "copied":
                self.machines[event.slot] = self._copy(machine)
            case "boot":
                self.boot(sorted(self.off, key=lambda slot: slot != event.slot))
            case "aws":
                service = SERVICES[event.number % len(SERVICES)]
                self.world.change(aws_failures=[[service, event.number, ANSWERS[event.number % len(ANSWERS)]]])
            case "marker":
                key = f"marker/{self.world.inputs.vpc_id}"
                self.world.client("s3").delete_object(Bucket=self.world.inputs.nodes_bucket, Key=key)
            case "clock":
                self.world.change(api_clock=event.number * 60)
            case "snapshot" if event.slot not in self.off:
                machine.run("snapshot", f"taken-{len(self.world.state['snapshots'])}")
        self.writer.append()

    def boot(self, slots: Iterable[int]) -> None:
        """Boot servers at once; who ends well is on."""
        processes = {slot: self.machines[slot].begin("boot", **IMPATIENT) for slot in slots}
        for slot, process in processes.items():
            result = self.machines[slot].finish(process)
            self._hear(slot, result)

    def _hear(self, slot: int, result: Result) -> None:
        if result.code == 0:
            self.off.discard(slot)
        else:
            self.off.add(slot)
            self.said.append(f"server {slot} ended with {result.code}: {result.log[-600:]}")
        if result.code == STOPPED and "made of another volume" in result.log:  # its page: the right volume comes back
            self.machines[slot].power_off()
            self.machines[slot] = self.world.server(slot, self.originals.pop(slot, None))

    def recover(self) -> bool:
        """The operator: everything answers again, machines are started, and what they say is done; whether it got whole."""
        self.world.change(aws_failures=[], api_clock=0)
        for _ in range(ROUNDS):
            if self.whole():
                return True
            self.boot([slot for slot, machine in enumerate(self.machines) if not self.world.healthy(machine)])
            if len(self.with_data()) < 2 and not self.world.cluster_ids():
                self._restore()
        return self.whole()

    def whole(self) -> bool:
        """Whether all three vote in one cluster."""
        return self.world.members() == sorted(SUBNETS) and all(self.world.healthy(machine) for machine in self.machines)

    def with_data(self) -> list[EtcdMachine]:
        """Servers that have their own etcd data."""
        return [machine for machine in self.machines if self._usable(machine)]

    def _usable(self, machine: EtcdMachine) -> bool:
        identity = machine.on_volume("identity")
        said = identity.read_text() if identity.exists() else ""
        return machine.on_volume("server/db/etcd/member/wal").is_dir() and f"volume={machine.volume} " in said

    def _restore(self) -> None:
        """docs/runbooks/lost-quorum.md: a disk where there is one, else the newest snapshot, else a new beginning."""
        kept, snapshots = self.with_data(), self.world.state["snapshots"]
        chosen = kept[0] if kept else self.machines[0]
        for program in ("install-rke2", "identify", "mount-data"):
            chosen.run(program)
        if kept or snapshots:
            result = chosen.run("restore", "disk" if kept else snapshots[-1], "run-1")
        else:
            result = chosen.run("start-over", "vet-dev")
            self.boot([self.machines.index(chosen)])
        self.said.append(result.log[-600:])

    def _empty(self, machine: EtcdMachine) -> None:
        volume = machine.on_volume("", whole=True)
        shutil.rmtree(volume)
        (volume / "files").mkdir(parents=True)

    def _copy(self, machine: EtcdMachine) -> EtcdMachine:
        copy = self.world.new_volume()
        self.originals.setdefault(machine.slot, machine.volume)
        shutil.copytree(machine.on_volume("", whole=True), self.world.folder / "volumes" / copy, dirs_exist_ok=True)
        return self.world.server(machine.slot, copy)


def play(world: EtcdWorld, schedule: Iterable[Event]) -> str | None:
    """Play a schedule to its end: what it broke, in words, or None."""
    events = list(schedule)
    run = Play(world)
    for event in events:
        run.happen(event)
        if problems := world.problems():
            return f"after {str(event)!r}: {'; '.join(problems)}"
    got_whole = run.recover()
    if problems := world.problems():
        return "; ".join(problems)
    if not got_whole:
        return "\n".join(["the operator does not get on; the servers said:", *run.said[-4:]])
    destroyed = {event.slot for event in events if event.what in DESTROYING}
    lost = run.writer.lost()
    if lost and len(destroyed) < 2:
        return f"{len(lost)} acknowledged writes are lost, and a majority's data was never destroyed: {lost[:3]}"
    return None if run.writer.append() else "the cluster takes no write"


def shortest(schedule: tuple[Event, ...], breaks: Callable[[tuple[Event, ...]], bool]) -> tuple[Event, ...]:
    """Leave events out of a schedule, one after the other, as long as what is left still breaks something."""
    for leaving in range(len(schedule)):
        shorter = (*schedule[:leaving], *schedule[leaving + 1 :])
        if breaks(shorter):
            return shortest(shorter, breaks)
    return schedule
