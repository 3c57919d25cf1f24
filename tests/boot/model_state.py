"""The model's state at one moment, and how it is changed. See ``model``."""

from typing import Any, NamedTuple

BLANK = (0, 0, False, False, "")
"""A volume without data: cluster, slot of the data, whether it has the newest that was committed, whether etcd lists it, its mark."""

UP = frozenset({"up", "ready", "settled"})

Volume = tuple[int, int, bool, bool, str]


class State(NamedTuple):
    """The state at one moment."""

    slots: tuple[tuple[int, str], ...]
    """For each server: its volume, and its step (off, decide, a decision to act on, joining, up, ready, settled)."""
    volumes: tuple[Volume, ...]
    marker: tuple[str, int]
    """State and volume: absent, initialising, ready, over."""
    ca: int
    """Cluster whose CA is published; 0: pending."""
    members: tuple[int, int, int]
    """Bits of the slots that are members, for each cluster; the first is unused."""
    wrote: int
    """Bits of the clusters that acknowledged writes."""
    aws: bool
    """Whether marker, parameter, secrets and snapshots can be read and written."""
    alone: int
    """The slot that the network cuts off, or -1."""
    faults: int
    """How many faults may still happen."""


def running(state: State, cluster: int) -> list[int]:
    """Slots whose RKE2 runs with listed data of a cluster."""
    slots = []
    for slot, (volume, step) in enumerate(state.slots):
        if step in UP:
            data = state.volumes[volume]
            if data[0] == cluster and data[1] == slot and data[3]:
                slots.append(slot)
    return slots


def quorum(state: State, cluster: int) -> bool:
    """Whether a majority of a cluster's members runs and sees one another."""
    up = [slot for slot in running(state, cluster) if slot != state.alone]
    return len(up) * 2 > state.members[cluster].bit_count() > 0


def replaced(items: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    """A tuple with one item replaced."""
    return (*items[:index], value, *items[index + 1 :])


def at(state: State, slot: int, step: str, **changes: Any) -> State:
    """A state with a server at another step."""
    return state._replace(slots=replaced(state.slots, slot, (state.slots[slot][0], step)), **changes)


def put(state: State, volume: int, data: Volume, **changes: Any) -> State:
    """A state with other content on a volume."""
    return state._replace(volumes=replaced(state.volumes, volume, data), **changes)


def nothing_yet(faults: int) -> State:
    """Three servers that were never on, with blank volumes."""
    slots = tuple((slot, "off") for slot in range(3))
    return State(slots, (BLANK,) * 5, ("absent", -1), 0, (0, 0, 0), 0, True, -1, faults)


def running_cluster(faults: int) -> State:
    """A whole cluster that has acknowledged writes, an old copy of server 1's volume and a blank one beside it."""
    slots = tuple((slot, "settled") for slot in range(3))
    held = tuple((1, slot, True, True, "") for slot in range(3))
    copy = (1, 1, False, True, "copy")
    return State(slots, (*held, copy, BLANK), ("ready", 0), 1, (0, 0b111, 0), 0b10, True, -1, faults)
