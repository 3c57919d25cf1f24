"""Making room in etcd: one server at a time, no next one while one is not back, and the alarm last."""

from dataclasses import replace

import pytest

from operations.cluster.defragment import defragment
from operations.shared.errors import Failure
from tests.unit.operations.cluster import WHOLE, Fake

FULL = replace(
    WHOLE, alarms="NOSPACE", etcd_healthy=False, database_bytes=2_147_000_000, database_bytes_in_use=9_000_000
)


def test_each_server_in_turn_and_no_alarm_is_touched_where_there_is_none(prod: Fake) -> None:
    defragment(prod, auto_approve=True)
    assert prod.calls == ["defragment 0", "defragment 1", "defragment 2"]


def test_the_alarm_is_cleared_after_all_have_room(prod: Fake) -> None:
    prod.healths = dict.fromkeys(range(3), FULL)
    defragment(prod, auto_approve=True)
    assert prod.calls == ["defragment 0", "defragment 1", "defragment 2", "defragment 0 disarm"]


def test_an_alarm_that_cannot_be_told_is_cleared_as_well(prod: Fake) -> None:
    prod.healths = dict.fromkeys(range(3), replace(WHOLE, alarms="unknown"))
    defragment(prod, auto_approve=True)
    assert prod.calls[-1] == "defragment 0 disarm"


@pytest.mark.parametrize("broken", [{"api_ready": False}, {"etcd_healthy": False}])
def test_no_other_server_is_busy_while_one_is_not_back(broken: dict[str, bool], prod: Fake) -> None:
    def break_(program: str, slot: int) -> None:
        prod.healths[slot] = replace(WHOLE, **broken)  # type: ignore[arg-type]

    prod.after = break_
    with pytest.raises(Failure, match="server 0 is not as it was"):
        defragment(prod, auto_approve=True)
    assert prod.calls == ["defragment 0"]


def test_without_a_server_it_says_so(prod: Fake) -> None:
    prod.down = {0, 1, 2}
    with pytest.raises(Failure, match="no server of vet-prod runs"):
        defragment(prod, auto_approve=True)
