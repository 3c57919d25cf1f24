"""The decision table over all combinations of facts, and proof that a broken rule turns these tests red."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boot.sandbox import World
from tests.boot.table import DECIDE, FACTS, violations


def test_every_combination_of_facts_has_the_one_right_decision() -> None:
    assert len(FACTS) == 180
    assert violations() == []


BROKEN = {
    "a marker is ignored": ('elif [ "$marker" != absent ]; then', "elif false; then"),
    "an answering peer is ignored": ('elif [ "$peer" != none ]; then', "elif false; then"),
    "any slot may initialise": ('elif [ "$slot" = 0 ]; then', "else"),
    "a removed member starts": ('[ "$membership" = removed ]', "false"),
    "another volume's marker is taken over": ('[ "$marker" = mine ]', '[ "$marker" != absent ]'),
    "a cluster that is being formed counts as lost": ('[ "$marker" = forming ] && [ "$slot" != 0 ]', "false"),
}


def _break(program: Path, rule: str) -> None:
    right, wrong = BROKEN[rule]
    text = DECIDE.read_text()
    assert text.count(right) == 1, f"{right!r} is not in the program once; adapt this test"
    text = text.replace(right, wrong)
    if wrong == "else":
        text = text[: text.rindex("else\n")] + "fi\n"
    program.write_text(text)
    program.chmod(0o755)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_found(rule: str, tmp_path: Path) -> None:
    _break(tmp_path / "decide", rule)
    assert violations(tmp_path / "decide"), f"nothing noticed that {rule}"


@pytest.mark.parametrize("rule", ["an answering peer is ignored", "another volume's marker is taken over"])
def test_a_broken_rule_makes_a_second_cluster_and_a_whole_boot_shows_it(
    rule: str, make_world: Callable[..., World]
) -> None:
    """The scenario of a replaced server 0 without its data, with the rule broken: its check must fail."""
    world = make_world(servers=3)
    machines = world.standing()
    for machine in machines if "marker" in rule else machines[:1]:
        machine.power_off()
    replacement = world.server(0)
    _break(replacement.root / "opt/vet/bin/decide", rule)
    if "peer" in rule:  # the marker alone would still stop it: two rules stand between a mistake and a second cluster
        world.client("s3").delete_object(Bucket=world.inputs.nodes_bucket, Key=f"marker/{world.inputs.vpc_id}")
    replacement.boot()
    assert world.problems() == ["2 clusters exist: ['cluster-0', 'cluster-1']"]
