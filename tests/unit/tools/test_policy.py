"""A check of Checkov fails unless a reason is written for it, and no reason stays that nothing needs."""

from tests.policy.check import Accepted, Failed, accepted, judge

FAILED = Failed("CKV_1", "Ensure that it is closed", "vet-dev/network/vpc")


def test_a_failure_without_a_reason_is_named() -> None:
    assert judge([FAILED], []) == ["vet-dev/network/vpc fails CKV_1: Ensure that it is closed"]


def test_a_reason_covers_its_own_check_and_resources_alone() -> None:
    reason = Accepted("CKV_1", ("*/network/vpc",), "It is closed.")
    assert judge([FAILED], [reason]) == []
    others = [Failed("CKV_2", "Other", FAILED.resource), Failed("CKV_1", "Elsewhere", "vet-dev/api")]
    assert len(judge([FAILED, *others], [reason])) == 2


def test_a_pattern_that_excuses_nothing_is_named() -> None:
    reason = Accepted("CKV_1", ("*/network/vpc", "*/gone"), "It is closed.")
    (wrong,) = judge([FAILED], [reason])
    assert "*/gone" in wrong


def test_every_reason_is_a_sentence() -> None:
    bare = [entry.check for entry in accepted() if not entry.reason.strip().endswith(".") or len(entry.reason) < 6]
    assert not bare, f"without a reason: {bare}"
