"""The person of the model: does what a server's message says, and nothing else. See ``model``."""

from collections.abc import Iterator

from tests.boot.model_state import BLANK, State, at, put, replaced


def follow(state: State, slot: int, remedy: str) -> Iterator[tuple[str, State]]:
    """What the person does about a message; nothing where it only says to wait."""
    volume = state.slots[slot][0]
    if remedy == "repair":
        repaired = (*state.volumes[volume][:4], "")
        yield f"volume {volume} of server {slot} is repaired", put(state, volume, repaired)
    elif remedy == "copy":
        yield f"server {slot} gets an empty volume in place of the copy", put(state, volume, BLANK)
    elif remedy == "winner":
        yield from _winner(state, slot)
    elif remedy == "delete-marker":
        yield "the marker is deleted, as the message says", at(state, slot, "off", marker=("absent", -1))
    elif remedy == "foreign":
        yield from _foreign(state)
    elif remedy in ("restore", "peers"):
        yield from _restore(state)


def _winner(state: State, slot: int) -> Iterator[tuple[str, State]]:
    winner = state.marker[1]
    if winner not in {volume for volume, _ in state.slots} and state.volumes[winner] != BLANK:
        attached = state._replace(slots=replaced(state.slots, slot, (winner, "off")))
        yield f"server {slot} gets the winner's volume {winner}", attached
    elif state.aws:
        yield f"server {slot} starts over", at(state, slot, "off", marker=("over", state.slots[slot][0]), ca=0)


def _foreign(state: State) -> Iterator[tuple[str, State]]:
    """A server that is not of the cluster that works gives up its data, which is kept aside."""
    right = 1 if state.wrote & 0b10 else 2 if state.wrote & 0b100 else state.ca
    for slot, (volume, _) in enumerate(state.slots):
        if state.volumes[volume][0] not in (0, right):
            yield f"server {slot}, of another cluster, rejoins", at(put(state, volume, BLANK), slot, "decide")


def _restore(state: State) -> Iterator[tuple[str, State]]:
    """First the servers that can come back with data; a restore only where these are no majority."""
    cluster = state.ca or (1 if state.members[1] else 2)
    whole = {
        data[1] for data in state.volumes if data[0] == cluster and data[3] and data[4] == ""
    }  # slots whose member's data is somewhere
    for slot in whole:
        held = state.volumes[state.slots[slot][0]]
        if held[:2] != (cluster, slot) or not held[3]:  # an earlier life's data is no member's
            yield from _bring_back(state, slot, cluster)
            return
    if len(whole) * 2 > state.members[cluster].bit_count() > 0:
        for slot in whole:
            if state.slots[slot][1] == "off":
                yield f"server {slot} is brought back", at(state, slot, "decide")
                return
        return
    yield _reset(state, cluster)


def _bring_back(state: State, slot: int, cluster: int) -> Iterator[tuple[str, State]]:
    attached = {volume for volume, _ in state.slots}
    for volume, data in enumerate(state.volumes):
        if data[:2] == (cluster, slot) and data[3] and data[4] == "" and volume not in attached:
            slots = replaced(state.slots, slot, (volume, "off"))
            yield f"server {slot} gets volume {volume} back, which has its data", state._replace(slots=slots)
            return


def _reset(state: State, cluster: int) -> tuple[str, State]:
    """``make restore``: the server with the newest data, else a snapshot on server 0; the others rejoin with empty data."""
    ranks = [
        (data[2], data[0] == cluster and data[4] == "", -slot)
        for slot, data in enumerate(state.volumes[volume] for volume, _ in state.slots)
    ]
    chosen = -max(ranks)[2]
    kept_volume = state.slots[chosen][0]
    attached = {volume for volume, _ in state.slots}
    volumes = tuple(
        (cluster, chosen, True, True, "")
        if number == kept_volume
        else BLANK
        if number in attached
        else (*data[:2], False, False, data[4])
        if data[0] == cluster
        else data
        for number, data in enumerate(state.volumes)
    )
    slots = tuple((volume, "up" if slot == chosen else "decide") for slot, (volume, _) in enumerate(state.slots))
    members = replaced(state.members, cluster, 1 << chosen)
    return f"make restore on server {chosen}", state._replace(slots=slots, volumes=volumes, members=members)
