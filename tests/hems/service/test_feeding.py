"""When the watchdog is fed: each state as a row, and whole lives against what a manager sees."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.service.feeding import (
    CHANGE_WITHIN_S,
    STEP_WITHIN_S,
    Phase,
    Vitals,
    is_due,
    may_last,
)

pytestmark = pytest.mark.requirement("LC-TEST")

W = 30.0
NOW = 100_000.0
READY = Vitals(Phase.CONTROLLING, NOW - 500, decided_at=NOW, fed_at=NOW - 10, ready=True)
CHANGING = Vitals(Phase.CHANGING, NOW - 20, fed_at=NOW - 10, ready=True)
STEP = Vitals(Phase.STEP, NOW - 20, fed_at=NOW - 10, ready=True)

ROWS = [
    ("a decision was just taken", READY, True),
    ("the first decision of all", replace(READY, fed_at=None), True),
    ("it was fed just now", replace(READY, fed_at=NOW - 1), False),
    ("nothing decided since it was fed", replace(READY, decided_at=NOW - 10), False),
    ("the last decision is old", replace(READY, decided_at=NOW - 8), False),
    ("nothing ever decided", replace(READY, decided_at=None), False),
    ("it starts", Vitals(Phase.STARTING, NOW - 5), False),
    ("it starts, and has decided nothing for long", Vitals(Phase.STARTING, NOW - 900), False),
    ("a step of the start", Vitals(Phase.STEP, NOW - 20), False),
    ("one home follows another", CHANGING, True),
    ("another home does not come", replace(CHANGING, since=NOW - CHANGE_WITHIN_S), False),
    ("a change before the start was over", replace(CHANGING, ready=False), False),
    ("the store is restored", STEP, True),
    ("that takes a quarter of an hour", replace(STEP, since=NOW - 900), True),
    ("that does not end", replace(STEP, since=NOW - STEP_WITHIN_S), False),
    ("it ends", replace(READY, phase=Phase.ENDING), False),
]


@pytest.mark.parametrize(("what", "vitals", "fed"), ROWS, ids=[row[0] for row in ROWS])
def test_each_state(what: str, vitals: Vitals, fed: bool) -> None:
    assert is_due(vitals, NOW, W) is fed, what


@pytest.mark.parametrize(
    ("vitals", "more"),
    [
        (STEP, True),
        (replace(STEP, ready=False), True),
        (replace(STEP, since=NOW - STEP_WITHIN_S), False),
        (READY, False),
        (CHANGING, False),
        (Vitals(Phase.STARTING, NOW), False),
    ],
)
def test_more_time_is_asked_for_in_a_long_step_alone(vitals: Vitals, more: bool) -> None:
    assert may_last(vitals, NOW) is more


@given(
    decisions=st.lists(st.floats(0.05, 60.0), min_size=1, max_size=60),
    watchdog_s=st.sampled_from([10.0, 30.0, 60.0]),
)
def test_a_hub_that_stops_deciding_is_ended_and_one_that_decides_is_not(
    decisions: list[float], watchdog_s: float
) -> None:
    """Decisions come after pauses; the manager ends who is silent for its time, by plain count."""
    vitals = Vitals(Phase.CONTROLLING, 0.0, fed_at=0.0, ready=True)
    now, fed = 0.0, [0.0]
    for pause_s in decisions:
        now += pause_s
        vitals = replace(vitals, decided_at=now)
        if is_due(vitals, now, watchdog_s):
            vitals = replace(vitals, fed_at=now)
            fed.append(now)
        # Looked at without a decision, at any moment, nothing is fed.
        assert not is_due(vitals, now + watchdog_s, watchdog_s)
    silences = [after - before for before, after in pairwise(fed)]
    longest = max(decisions)
    assert all(silence <= longest + watchdog_s / 4 + 1e-6 for silence in silences)
    if longest > watchdog_s and silences:
        assert max([*silences, now - fed[-1]]) > watchdog_s, "it hung, and nobody noticed"
