"""The servers of one schedule of faults (``schedules``), and an operator who does what their messages say.

Beside what must never be anywhere: no server sets data aside that the cluster lists as a member's, unless the operator told it to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.boot.etcd_sandbox import EtcdMachine, EtcdSandbox
from tests.boot.machine import STOPPED, Result
from tests.boot.sandbox import SUBNETS

IMPATIENT = {"VET_MAX_ATTEMPTS": "12", "VET_PATIENCE": "12", "VET_CONFIRMATIONS": "2"}
"""Few attempts, for programs of this release and (the second) of releases before 2026-11-29, which may be played as well."""
ROUNDS = 8
"""How often the operator tries again until that counts as being stuck."""
BEFORE_A_RESTORE = 2
"""Rounds in which the operator waits for a majority whose data is there, before a disk is restored."""
CRASHED = -9
LONGEST = 1200
"""Seconds that a boot may take here: three that wait for a majority beside other work take minutes."""


@dataclass
class Servers:
    """Three machines with what is off, what they said last, and which volumes are theirs."""

    sandbox: EtcdSandbox
    machines: list[EtcdMachine] = field(default_factory=list)
    off: set[int] = field(default_factory=set)
    originals: dict[int, str] = field(default_factory=dict)
    """The volume that is a server's own, by slot, where another one is attached."""
    last_logs: list[str] = field(default_factory=list)
    """What the last attempts said, for the report of a failure."""
    problems: list[str] = field(default_factory=list)
    """Data that was set aside although it was a member's."""
    interrupt_restore: int = 0
    """Calls after which the operator's next restore is interrupted by power loss; 0: not at all."""
    restored: bool = False
    _aside: set[str] = field(default_factory=set)
    _listed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.machines = self.sandbox.running_cluster()

    def power_off(self, slot: int) -> EtcdMachine:
        """Have a server lose power."""
        self.machines[slot].power_off()
        self.off.add(slot)
        return self.machines[slot]

    def replace_machine(self, slot: int, volume: str | None) -> None:
        """Replace a server's machine; with a blank volume of its own where none is named."""
        self.power_off(slot)
        self.machines[slot] = self.sandbox.server(slot, volume)
        if volume is None:
            self.originals.pop(slot, None)

    def boot(self, slots: Iterable[int]) -> None:
        """Boot servers at once; those that succeed are on."""
        self._listed = {member["name"] for member in self.sandbox.listed()} or self._listed
        processes = {slot: self.machines[slot].begin("boot", **IMPATIENT) for slot in slots}
        results = {slot: self.machines[slot].finish(process, seconds=LONGEST) for slot, process in processes.items()}
        self._check_archived()
        for slot, result in results.items():
            self._hear(slot, result)

    def crash_in_boot(self, slot: int, calls: int) -> None:
        """Have a server lose power so many calls into its next boot."""
        machine = self.machines[slot]
        machine.crash_after("", calls)
        self.boot([slot])
        (machine.folder / "crash-after").unlink(missing_ok=True)
        self.power_off(slot)

    def _check_archived(self) -> None:
        archived = self._set_aside()
        self.problems += [
            f"the data of the member {name} is set aside, and etcd lists it: {sorted(self._listed)}"
            for name in sorted((archived - self._aside) & self._listed)
        ]
        self._aside = archived

    def _set_aside(self) -> set[str]:
        return {path.read_text() for path in (self.sandbox.folder / "volumes").glob("*/files/set-aside/*/db/etcd/name")}

    def _hear(self, slot: int, result: Result) -> None:
        machine, log = self.machines[slot], result.log
        if result.code == 0:
            self.off.discard(slot)
            return
        self.off.add(slot)
        self.last_logs.append(f"server {slot} ended with {result.code}: {log[-600:]}")
        if "To repair it: sudo e2fsck" in log:
            repair(machine)
        elif "is full. Make room" in log:
            machine.on_volume("full", whole=True).unlink(missing_ok=True)
        elif result.code == STOPPED and "made of another volume" in log:
            self._give_back(slot)

    def _give_back(self, slot: int) -> None:
        """docs/runbooks/restoring-a-volume.md: the server's own volume comes back, else an empty one."""
        volume = self.originals.pop(slot, None)
        for other, machine in enumerate(self.machines):
            if other != slot and volume is not None and machine.volume == volume:
                self.replace_machine(other, self.originals.pop(other, None))
        self.replace_machine(slot, volume)

    def recover(self) -> bool:
        """The operator: everything answers again, machines are started, and what they say is done; whether it got whole."""
        self.sandbox.change(aws_failures=[], api_clock=0)
        for machine in self.machines:
            (machine.folder / "clock").unlink(missing_ok=True)
        for attempt in range(ROUNDS):
            if self.whole():
                return True
            self.boot([slot for slot, machine in enumerate(self.machines) if not self.sandbox.healthy(machine)])
            few = self.own_volumes_with_data() < 2
            if not self.sandbox.cluster_ids() and (few or attempt >= BEFORE_A_RESTORE):
                self.make_restore(f"run-{attempt}")
        return self.whole()

    def whole(self) -> bool:
        """Whether all three vote in one cluster."""
        return self.sandbox.members() == sorted(SUBNETS) and all(
            self.sandbox.healthy(machine) for machine in self.machines
        )

    def with_data(self) -> list[int]:
        """Slots of the servers that have their own etcd data, the one that was written last first."""
        ages = []
        for slot, machine in enumerate(self.machines):
            identity, written = machine.on_volume("identity"), machine.on_volume("server/db/etcd/member/wal")
            own = f"volume={machine.volume} slot={slot}\n"
            if written.is_dir() and identity.exists() and identity.read_text() == own and not damaged(machine):
                ages.append((-max(path.stat().st_mtime for path in written.iterdir()), slot))
        return [slot for _, slot in sorted(ages)]

    def own_volumes_with_data(self) -> int:
        """How many servers' own volumes hold etcd data, also where another one is attached in its place or it has to be repaired first."""
        volumes = [self.originals.get(slot, str(machine.volume)) for slot, machine in enumerate(self.machines)]
        return sum(
            (self.sandbox.folder / "volumes" / name / "files/server/db/etcd/member/wal").is_dir() for name in volumes
        )

    def make_restore(self, run: str) -> None:
        """docs/runbooks/lost-quorum.md: a disk where there is one, else the newest snapshot, else a new beginning."""
        slots, snapshots = self.with_data(), self.sandbox.state["snapshots"]
        chosen = slots[0] if slots else 0
        if not slots and not snapshots:
            self._prepared(chosen)
            self._command(chosen, "start-over", "vet-dev")
            self.boot([chosen])
            return
        source, others = "disk" if slots else snapshots[-1], [slot for slot in range(3) if slot != chosen]
        for slot in others:
            self._prepared(slot)
            self._command(slot, "stop-cluster-services", run, source)
        if self._command(chosen, "restore", source, run, calls=self.interrupt_restore) == CRASHED:
            self.boot([chosen])  # which waits for the restore: the same command goes on
            self._command(chosen, "restore", source, run)
        self.interrupt_restore, self.restored = 0, True
        self._listed = {member["name"] for member in self.sandbox.listed()}
        for slot in others:
            self._command(slot, "rejoin", run)
            self._aside = self._set_aside()
            self.boot([slot])

    def rejoin(self, slot: int, calls: int) -> None:
        """The operator has a server give its data up, is interrupted by power loss, and says it again."""
        self._prepared(slot)
        code = self._command(slot, "rejoin", calls=calls)
        self._aside = self._set_aside()
        if code == CRASHED:
            self.boot([slot])
            code = self._command(slot, "rejoin")
            self._aside = self._set_aside()
        if code == 0:
            self.boot([slot])

    def _prepared(self, slot: int) -> None:
        """A machine that was made again has come as far as its first stop, so that commands can be run on it."""
        for program in ("install-rke2", "learn-servers", "write-node-identity", "mount-data"):
            if (self.machines[slot].root / "opt/vet/bin" / program).exists():
                self.machines[slot].run(program, **IMPATIENT)

    def _command(self, slot: int, *words: str, calls: int = 0) -> int:
        machine = self.machines[slot]
        if calls:
            machine.crash_after("", calls)
        result = machine.run(*words, **IMPATIENT)
        (machine.folder / "crash-after").unlink(missing_ok=True)
        if result.code == CRASHED:
            self.power_off(slot)
        elif result.code:
            self.last_logs.append(f"{' '.join(words)} on server {slot} ended with {result.code}: {result.log[-600:]}")
        return result.code


def damage(machine: EtcdMachine) -> None:
    """Make a file system's beginning unreadable; a backup of its superblock and all data are still there."""
    signature = machine.on_volume("signature", whole=True)
    if signature.exists():
        signature.rename(machine.on_volume("superblock", whole=True))
        machine.on_volume("first-mib", whole=True).write_text("garbage")
        machine.on_volume("backup-superblock", whole=True).write_text("32768")


def damaged(machine: EtcdMachine) -> bool:
    """Whether the volume's file system cannot be mounted."""
    return machine.on_volume("superblock", whole=True).exists()


def repair(machine: EtcdMachine) -> None:
    """What ``e2fsck -b`` does, as the message says."""
    superblock = machine.on_volume("superblock", whole=True)
    if superblock.exists():
        superblock.rename(machine.on_volume("signature", whole=True))
    for name in ("first-mib", "backup-superblock"):
        machine.on_volume(name, whole=True).unlink(missing_ok=True)
