"""Random schedules of faults, drawn from a seed: one cluster, nothing lost, and an operator who repeats gets on.

``VET_SCHEDULES`` says how many, ``VET_SEED`` from what; without them one that is always the same. What has passed is noted in
``.cache``, so a run that was interrupted goes on where it stopped. ``VET_NODES`` names a folder of other programs (``nodes`` of an older
commit, or one that somebody broke) to be played in place of this tree's: what breaks them is counted, not shrunk. ``VET_KINDS`` has each
kind of fault played alone. ``VET_MINUTES`` is the time after which no further schedule begins.
"""

import os
import time
from itertools import count
from pathlib import Path

import pytest

import nodes.boot
from tests.boot.etcd_sandbox import CACHE, MISSING, EtcdSandbox, programs
from tests.boot.schedules import SENTENCES, Event, draw, play, shortest

if "VET_NODES" in os.environ:
    nodes.boot.HERE = Path(os.environ["VET_NODES"])
    nodes.boot.FORMER_NAMES = {}  # links of this release's programs, in whose place those of an older one are

SEED = os.environ.get("VET_SEED", "try")
HOW_MANY = int(os.environ.get("VET_SCHEDULES", "1"))
MINUTES = float(os.environ.get("VET_MINUTES", "inf"))
BEGAN = time.monotonic()
PASSED = CACHE / f"schedules-{SEED[:12]}"


class Sandboxes:
    """Makes a sandbox for each schedule that is played, and ends it."""

    def __init__(self, folder: Path, emulator: str, stand_ins: str) -> None:
        self._folder, self._emulator, self._stand_ins = folder, emulator, stand_ins
        self._numbers = count()

    def broken_by(self, schedule: tuple[Event, ...]) -> str | None:
        """What a schedule breaks."""
        sandbox = EtcdSandbox(self._folder / f"sandbox{next(self._numbers)}", self._emulator, self._stand_ins, 3)
        try:
            return play(sandbox, schedule)
        finally:
            sandbox.end()


@pytest.fixture
def sandboxes(tmp_path: Path, emulator: str, stand_ins: str) -> Sandboxes:
    """Sandboxes with etcd itself."""
    if programs() is None:
        pytest.skip(MISSING)
    return Sandboxes(tmp_path, emulator, stand_ins)


def passed_before() -> set[int]:
    """Numbers of this seed's schedules that need not be played again."""
    return (
        {int(line) for line in PASSED.read_text().split()}
        if PASSED.exists() and "VET_SCHEDULES" in os.environ
        else set()
    )


@pytest.mark.parametrize("number", [number for number in range(HOW_MANY) if number not in passed_before()])
def test_a_schedule_of_faults_breaks_nothing(number: int, sandboxes: Sandboxes) -> None:
    if time.monotonic() - BEGAN > MINUTES * 60:
        pytest.skip(
            f"{MINUTES:g} minutes are over: VET_MINUTES bounds the schedules of each change; make bench-schedules plays all"
        )
    schedule = draw(SEED, number)
    broken = sandboxes.broken_by(schedule)
    if broken is not None:
        short = schedule
        if "VET_NODES" not in os.environ:
            short = shortest(schedule, lambda shorter: sandboxes.broken_by(shorter) is not None)
        events = "".join(f"\n  {event}" for event in short)
        pytest.fail(f"schedule {number} of seed {SEED}: {broken}\nthe shortest that breaks something:{events}")
    CACHE.mkdir(exist_ok=True)
    with PASSED.open("a") as file:
        file.write(f"{number}\n")


@pytest.mark.parametrize("what", list(SENTENCES) if "VET_KINDS" in os.environ else ["damaged"])
def test_a_kind_of_fault_alone_breaks_nothing(what: str, sandboxes: Sandboxes) -> None:
    assert sandboxes.broken_by((Event(what, 1, 7), Event("boot", 1, 1))) is None


def test_schedules_are_the_same_for_a_seed_and_hold_every_kind_of_fault() -> None:
    drawn = [draw("a seed", number) for number in range(200)]
    assert drawn == [draw("a seed", number) for number in range(200)]
    assert drawn != [draw("another", number) for number in range(200)]
    assert {event.what for schedule in drawn for event in schedule} == set(SENTENCES)


def test_a_schedule_is_shrunk_to_what_breaks() -> None:
    schedule = (*draw("a seed", 3), Event("marker", 0, 1), *draw("a seed", 4))
    short = shortest(schedule, lambda events: any(event.what == "marker" for event in events))
    assert [event.what for event in short] == ["marker"]
