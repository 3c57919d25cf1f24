"""Whatever people write into their settings: refused with place, rule and remedy, or accepted and then AWS takes what comes out.

``make fuzz`` tries many more. The seed of what it finds becomes an example (``@example``) of the test that it belongs to.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.trial import trial


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_an_answer_helps(seed: int) -> None:
    outcome = trial(seed, synthesise=False)
    assert not outcome.fault, str(outcome)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32).filter(lambda seed: trial(seed, synthesise=False).accepted))
def test_what_is_accepted_is_what_aws_takes(seed: int) -> None:
    outcome = trial(seed, synthesise=True)
    assert not outcome.fault, str(outcome)
