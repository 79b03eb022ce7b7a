"""Events that follow one another: no gap and no overlap, however they are drawn and received."""

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.sep2.rules.events import Draw, Event, Held, Program, Status, draw, effective
from hems.sep2.rules.successive import Edges, follow_on
from tests.hems.sep2.examples import examples

pytestmark = pytest.mark.requirement("PRO-2030.5")

P = Program("P1", primacy=1)


def event(mrid: str, start: int, duration_s: int = 120, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "program": P,
        "creation_time": 1,
        "modes": {"opModExpLimW": 0.0},
        "randomize_start_s": 60,
        "randomize_duration_s": -30,
    }
    return Event(mrid, start=start, duration_s=duration_s, **(fields | changes))


@settings(max_examples=examples(100), deadline=None)
@given(st.permutations(range(6)), st.integers(0, 999))
def test_a_day_of_events_has_no_gap_and_no_overlap(order: list[int], seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - draws, not secrets
    known: list[Held] = []
    for i in order:
        made = event(f"E{i}", 120 * i)
        known.append(Held(made, follow_on(made, draw(made, rng), known)))
    spans = [effective(h.event, h.draw) for h in sorted(known, key=lambda h: h.event.start)]
    for earlier, later in itertools.pairwise(spans):
        assert earlier.end == later.start
    for span, due in zip(spans, range(0, 720, 120), strict=True):
        assert due - 30 <= span.start <= due + 60, "the drawn parts do not add up"


def test_it_begins_where_its_predecessor_ends_and_ends_as_drawn() -> None:
    before = Held(event("A", 100), Draw(start_s=20, duration_s=-5, cancel_s=3))
    drawn = follow_on(event("B", 220), Draw(start_s=7, duration_s=2, cancel_s=9), [before])
    assert drawn == Draw(start_s=15, duration_s=-6, cancel_s=9)


def test_one_that_was_drawn_to_nothing_ends_where_it_begins() -> None:
    before = Held(event("A", 100, 10), Draw(start_s=0, duration_s=-30))
    drawn = follow_on(event("B", 110), Draw(), [before])
    assert drawn.start_s == -10


def test_it_ends_where_its_successor_begins() -> None:
    after = Held(event("B", 220), Draw(start_s=15))
    drawn = follow_on(event("A", 100), Draw(start_s=40, duration_s=-20), [after])
    assert drawn == Draw(start_s=40, duration_s=-25)


def test_between_two_it_fits_both() -> None:
    known = [Held(event("A", 100), Draw(start_s=30)), Held(event("C", 340), Draw(start_s=5))]
    drawn = follow_on(event("B", 220), Draw(start_s=60), known)
    assert drawn == Draw(start_s=30, duration_s=-25)


ALONE = Draw(start_s=7, duration_s=2)


@pytest.mark.parametrize(
    "other",
    [
        event("A", 99),
        event("A", 101),
        event("C", 341),
        event("A", 100, program=Program("P2", primacy=1)),
        event("A", 100, program=Program("P0", primacy=1)),
        event("A", 100, modes={"opModImpLimW": 0.0}),
        event("A", 100, kind="EndDeviceControl"),
        event("A", 100, status=Status.CANCELLED),
    ],
)
def test_what_is_no_neighbour_changes_nothing(other: Event) -> None:
    assert follow_on(event("B", 220), ALONE, [Held(other, Draw(start_s=30))]) == ALONE


def test_what_was_refused_changes_nothing() -> None:
    refused = Held(event("A", 100), Draw(start_s=30), modes=frozenset())
    assert follow_on(event("B", 220), ALONE, [refused]) == ALONE


def test_of_two_predecessors_the_stronger_counts() -> None:
    weak = Held(event("A", 100), Draw(start_s=30))
    strong = Held(event("9", 160, 60, creation_time=2), Draw(start_s=10))
    for known in ([weak, strong], [strong, weak]):
        assert follow_on(event("B", 220), Draw(), known).start_s == 10


def test_one_shared_mode_makes_neighbours() -> None:
    both = {"opModExpLimW": 0.0, "opModImpLimW": 0.0}
    before = Held(event("A", 100, modes=both), Draw(start_s=30))
    assert follow_on(event("B", 220), Draw(), [before]).start_s == 30
    cancelled = replace(before, event=replace(before.event, status=Status.SUPERSEDED))
    assert follow_on(event("B", 220), Draw(), [cancelled]) == Draw()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=12))
def test_whoever_may_meet_an_event_is_found(spans: list[tuple[int, int]]) -> None:
    known = [event(f"E{n}", start, duration_s) for n, (start, duration_s) in enumerate(spans)]
    edges = Edges(known)
    new = event("NEW", 4, 3)
    follows = {e.mrid for e in known if e.start == 7 or e.start + e.duration_s == 4}
    assert follows <= set(edges.meeting(new))
    assert Edges().meeting(new) == set()
