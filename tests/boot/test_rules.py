"""The decision table over all combinations of facts, and proof that a broken rule turns these tests red."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boot.sandbox import Sandbox
from tests.boot.table import DECIDE, every_combination, violations


def test_every_combination_of_facts_has_the_one_right_decision() -> None:
    assert len(list(every_combination())) > 80
    assert violations() == []


BROKEN = {
    "a marker is ignored": ("ready | other) lost", "never) lost"),
    "an answering peer is ignored": ("none) alone", "none | [0-9]*) alone"),
    "any slot may initialise": ('  elif [ "$slot" = 0 ]; then', "  elif true; then"),
    "a removed member starts": ('[ "$membership" = removed ]', "false"),
    "another volume's marker is taken over": ('[ "$marker" = mine ]', '[ "$marker" != absent ]'),
    "a cluster that is being formed counts as lost": ('[ "$marker" = forming ] && [ "$slot" != 0 ]', "false"),
    "a history is ignored": ('[ "$history" = some ]', "false"),
    "an unread history is none": ('[ "$history" = unknown ]', "false"),
    "an unread marker is an absent one": ('    unknown) echo "wait marker', '    never) echo "wait marker'),
    "peers that could not be asked are none": ('    unknown) echo "wait aws', '    never) echo "wait aws'),
    "a foreign CA beside data is ignored": ('[ "$peer" = foreign ]', "false"),
    "a copy starts": ("  copy) echo", "  never) echo"),
}


def _break(program: Path, rule: str) -> None:
    right, wrong = BROKEN[rule]
    text = DECIDE.read_text()
    assert text.count(right) == 1, f"{right!r} is not in the program once; adapt this test"
    text = text.replace(right, wrong)
    program.write_text(text)
    program.chmod(0o755)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_found(rule: str, tmp_path: Path) -> None:
    _break(tmp_path / "decide", rule)
    assert violations(tmp_path / "decide"), f"nothing noticed that {rule}"


@pytest.mark.parametrize("guards", ["decide", "decide and marker"])
def test_two_guards_stand_between_a_lost_marker_and_a_second_cluster(
    guards: str, make_sandbox: Callable[..., Sandbox]
) -> None:
    """Everything is off, the marker was deleted, server 0 comes back empty: only without both does a second one begin."""
    sandbox = make_sandbox(servers=3)
    for machine in sandbox.running_cluster():
        machine.power_off()
    sandbox.client("s3").delete_object(Bucket=sandbox.inputs.nodes_bucket, Key=f"marker/{sandbox.inputs.vpc_id}")
    replacement = sandbox.server(0)
    _break(replacement.root / "opt/vet/bin/decide", "a history is ignored")
    if "marker" in guards:
        program = replacement.root / "opt/vet/bin/marker"
        program.write_text(program.read_text().replace("case $history in", "case none in"))
    replacement.boot()
    two = ["2 clusters exist: ['cluster-0', 'cluster-1']"]
    assert sandbox.problems() == (two if "marker" in guards else [])
