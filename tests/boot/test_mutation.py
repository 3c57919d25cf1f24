"""The list of changes to the node programs that no test notices: drawn the same for a seed, and each reason is of a change that there is."""

import yaml

from tests.boot.mutation import PROGRAMS, REASONS, mutants, sample

ALL = list(mutants(sorted(path.name for path in PROGRAMS.iterdir())))


def test_a_sample_is_the_same_for_a_seed_and_another_for_another() -> None:
    drawn = sample(ALL, 40, "a seed")
    assert len(drawn) == 40
    assert drawn == sample(ALL, 40, "a seed")
    assert drawn != sample(ALL, 40, "another")
    assert sample(ALL, None, "a seed") == ALL


def test_each_change_is_in_one_line_of_one_program() -> None:
    for mutant in ALL:
        before, after = (PROGRAMS / mutant.program).read_text().splitlines(), mutant.text.splitlines()
        differ = [number for number, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new]
        assert differ == [mutant.line], mutant.name


def test_a_reason_is_given_for_changes_that_there_are() -> None:
    reasons = yaml.safe_load(REASONS.read_text())
    unknown = set(reasons) - {mutant.name for mutant in ALL}
    assert not unknown, (
        f"{REASONS.name} gives reasons for what is no change of a program (did its line change?): {sorted(unknown)}"
    )
