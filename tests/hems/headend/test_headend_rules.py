"""The rules without I/O: states over time, paging, quantities, mRIDs."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.curves import CurveOrder
from hems.headend.dispatch import Order, make_event, make_mrid
from hems.headend.errors import DispatchError, RequestError
from hems.headend.paging import Query, page, parse_query
from hems.headend.records import Edition, Event, Mode
from hems.headend.render_controls import control_base, target_reduction
from hems.headend.settings import HeadEndSettings
from hems.headend.status import (
    EventState,
    Keeping,
    Overlap,
    Status,
    next_change,
    overlap_of,
    overlaps,
    shown_state,
    state_of,
)
from hems.headend.ticker import pause_s

pytestmark = pytest.mark.requirement("PRO-2030.5")
T0 = 1_800_000_000
KEEPING = Keeping(grace_s=30, completed_s=300)
PROGRAMS = HeadEndSettings(
    **dict.fromkeys(("database", "certificate", "key", "roots", "crls", "token_file"), Path())
).program_records()


def event(
    name: str = "A",
    *,
    modes: frozenset[Mode] = frozenset({Mode.IMPORT}),
    start: int = 0,
    length: int = 100,
    spread: tuple[int, int] = (0, 0),
    created: float = -10.0,
    cancelled: float | None = None,
) -> Event:
    return Event(
        name * 32,
        1,
        dict.fromkeys(modes, 1.0),
        T0 + start,
        length,
        *spread,
        T0 + created,
        None if cancelled is None else T0 + cancelled,
    )


@pytest.mark.parametrize(
    ("spread", "at", "status", "since"),
    [
        ((0, 0), -5, Status.SCHEDULED, -10),
        ((0, 0), 0, Status.ACTIVE, 0),
        ((0, 0), 99, Status.ACTIVE, 0),
        ((0, 0), 100, Status.COMPLETED, 100),
        ((-5, 0), -5, Status.ACTIVE, -5),
        ((20, 10), 129, Status.ACTIVE, 0),
        ((20, 10), 130, Status.COMPLETED, 130),
        ((-20, -10), 99, Status.ACTIVE, -10),
    ],
)
def test_a_lone_event(spread: tuple[int, int], at: int, status: Status, since: int) -> None:
    found = state_of(event(spread=spread), Overlap(), T0 + at)
    assert found == EventState(status, T0 + since)


BOTH = frozenset({Mode.IMPORT, Mode.EXPORT})
EXPORT = frozenset({Mode.EXPORT})


@pytest.mark.parametrize(
    ("old", "newer", "expected"),
    [
        ({}, {}, Overlap(T0 - 5, T0)),
        ({}, {"modes": EXPORT}, Overlap()),
        ({"modes": BOTH}, {}, Overlap(T0 - 5, None)),
        ({}, {"modes": BOTH}, Overlap(T0 - 5, T0)),
        ({}, {"start": 100}, Overlap()),
        ({}, {"start": 99}, Overlap(T0 - 5, T0 + 99)),
        ({}, {"start": 110, "spread": (-20, 0)}, Overlap(T0 - 5, T0 + 90)),
        ({}, {"start": 50, "cancelled": 40}, Overlap()),
        ({}, {"start": 50, "cancelled": 60}, Overlap(T0 - 5, T0 + 50)),
        ({"start": 50}, {"length": 40}, Overlap()),
        ({"start": 50}, {}, Overlap(T0 - 5, T0 + 50)),
        ({"created": 5}, {"created": 20}, Overlap(T0 + 20, T0 + 20)),
        ({"created": -1}, {"created": -2}, Overlap()),
    ],
)
def test_what_a_newer_event_takes(
    old: dict[str, object], newer: dict[str, object], expected: Overlap
) -> None:
    first = event(**old)  # type: ignore[arg-type]
    second = event("B", **{"created": -5.0, **newer})  # type: ignore[arg-type]
    assert overlap_of(first, [first, second]) == expected


def test_equal_creation_goes_by_mrid() -> None:
    low, high = event("A"), event("B", created=-9.5)
    assert overlap_of(low, [low, high]).ended is not None
    assert overlap_of(high, [low, high]) == Overlap()


def test_two_events_together_supersede_a_third() -> None:
    third = event(modes=BOTH)
    rest = [event("B", created=-5), event("C", created=-4, modes=EXPORT, start=30)]
    assert overlap_of(third, [third, *rest]) == Overlap(T0 - 5, T0 + 30)


def test_superseded_stays_so_when_the_newer_is_cancelled() -> None:
    old, new = event(), event("B", created=10)
    known = overlaps([old, new], {}, T0 + 11)
    cancelled = dataclasses.replace(new, cancelled_at=T0 + 20.0)
    later = overlaps([old, cancelled], known, T0 + 20)
    assert state_of(old, later[old.mrid], T0 + 20).status is Status.SUPERSEDED
    early = dataclasses.replace(new, accepted_at=T0 - 5.0, cancelled_at=T0 - 1.0)
    never = overlaps([old, early], {}, T0)
    assert state_of(old, never[old.mrid], T0).status is Status.ACTIVE


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.integers(1, 15),
            st.integers(-5, 20),
            st.sampled_from([frozenset({Mode.IMPORT}), EXPORT, BOTH]),
            st.none() | st.integers(0, 40),
        ),
        max_size=8,
    )
)
def test_each_event_is_held_against_all_those_it_meets_and_no_other_matters(
    drawn: list[tuple[int, int, int, frozenset[Mode], int | None]],
) -> None:
    """Taken in one by one or all at once, it is as if each were held against each."""
    made = [
        event(f"{i}", start=s, length=n, created=c, modes=m, cancelled=x)
        for i, (s, n, c, m, x) in enumerate(drawn)
    ]
    known: dict[str, Overlap] = {}
    for count, newest in enumerate(made, start=1):
        known = overlaps(made[:count], known, T0 - 99, newest)
    assert known == overlaps(made, {}, T0 - 99) == {e.mrid: overlap_of(e, made) for e in made}


@pytest.mark.parametrize(
    ("edition", "at", "cancelled", "ended", "status"),
    [
        (Edition.Y2018, 100, None, None, Status.ACTIVE),
        (Edition.Y2018, 129, None, None, Status.ACTIVE),
        (Edition.Y2018, 130, None, None, None),
        (Edition.CSIP_AUS, 50, None, 20, Status.SUPERSEDED),
        (Edition.CSIP_AUS, 50, 10, 20, Status.CANCELLED),
        (Edition.CSIP_AUS, 50, 30, 20, Status.SUPERSEDED),
        (Edition.Y2023, 50, None, 20, Status.ACTIVE),
        (Edition.Y2023, 50, 30, 20, Status.CANCELLED),
        (Edition.Y2023, 100, None, 20, Status.COMPLETED),
        (Edition.Y2023, 399, None, None, Status.COMPLETED),
        (Edition.Y2023, 400, None, None, None),
    ],
)
def test_editions_show_states_in_their_words(
    edition: Edition, at: int, cancelled: float | None, ended: int | None, status: Status | None
) -> None:
    one = event(cancelled=cancelled)
    overlap = Overlap(None if ended is None else T0 + ended, None if ended is None else T0 + ended)
    found = shown_state(one, overlap, edition, T0 + at, KEEPING)
    assert (None if found is None else found.status) == status


events = st.builds(
    event,
    st.sampled_from("ABCDEF"),
    modes=st.sets(st.sampled_from([Mode.IMPORT, Mode.EXPORT]), min_size=1).map(frozenset),
    start=st.integers(-50, 50),
    length=st.integers(1, 100),
    spread=st.tuples(st.integers(-20, 20), st.integers(0, 20)),
    created=st.integers(-60, 10).map(float),
    cancelled=st.none() | st.integers(10, 60).map(float),
)
programs = st.lists(events, min_size=1, max_size=5, unique_by=lambda e: e.mrid)


@given(programs, st.integers(10, 200), st.sampled_from(list(Edition)))
def test_no_state_changes_between_the_announced_times(
    program: list[Event], at: int, edition: Edition
) -> None:
    known = overlaps(program, {}, T0)
    due = [next_change(e, known[e.mrid], T0 + at, KEEPING) for e in program]
    for one, change in zip(program, due, strict=True):
        state = shown_state(one, known[one.mrid], edition, T0 + at, KEEPING)
        until = T0 + 1000 if change is None else change
        assert shown_state(one, known[one.mrid], edition, until - 0.001, KEEPING) == state


@given(programs)
def test_each_mode_keeps_one_newest_event(program: list[Event]) -> None:
    newest = max(program, key=lambda e: (e.created, e.mrid))
    assert overlap_of(newest, program) == Overlap()


@given(st.floats(0, 1e9), st.sampled_from([Edition.CSIP_AUS, Edition.Y2023]))
def test_a_limit_never_goes_out_looser(watts: float, edition: Edition) -> None:
    base = control_base({Mode.IMPORT: watts}, edition)
    quantity = base.op_mod_imp_lim_w or base.op_mod_max_lim_w_absorb
    assert quantity is not None
    assert watts * 0.999 - 1 <= quantity.watts <= watts


@given(st.floats(1, 6e7))
def test_reductions_are_told_within_one_percent(amount: float) -> None:
    units = {0: 1000.0, 1: 1000.0, 2: 1.0, 7: 1055.05585262 / 3600, 11: 1e6 / 3600}
    for mode in (Mode.SHED, Mode.ENERGY):
        found = target_reduction({mode: amount})
        assert found is not None
        told = found.value * units[found.type]
        assert abs(told - amount) <= max(0.5, amount * 0.01)


@given(st.floats(T0, T0 + 1e6), st.floats(0.00001, 1e6))
def test_later_mrids_are_greater(now: float, later: float) -> None:
    first, second = make_mrid(now, 40732), make_mrid(now + later, 40732)
    assert len(first) == 32
    assert first[24:] == f"{40732:08X}"
    assert first < second


def test_no_event_goes_out_without_its_curves() -> None:
    order = Order({}, 60, curves={Mode.VOLT_VAR: CurveOrder(((0.92, 44.0), (1.08, -44.0)))})
    with pytest.raises(DispatchError, match="curves of volt_var"):
        make_event(order, PROGRAMS, T0, "A" * 32)


@pytest.mark.parametrize(
    ("mode", "name"), [(Mode.SHED, "Grid Emergency"), (Mode.ENERGY, "Energy Support")]
)
def test_a_shed_is_an_emergency_and_all_else_may_be_left(mode: Mode, name: str) -> None:
    made = make_event(Order({mode: 3000.0}, 60), PROGRAMS, T0, "A" * 32)
    assert PROGRAMS[made.program - 1].name == name
    by_mrid = Order({mode: 3000.0}, 60, program=PROGRAMS[2].mrid.lower())
    assert make_event(by_mrid, PROGRAMS, T0, "A" * 32).program == 3


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (None, T0),
        ("+5m", T0 + 301),
        ("+1h", T0 + 3601),
        ("+0s", T0 + 1),
        (T0 + 7.9, T0 + 7),
        (T0 - 30, T0 - 30),
    ],
)
def test_starts(start: float | str | None, expected: int) -> None:
    order = Order({Mode.IMPORT: 1.0}, 60, start=start)
    assert make_event(order, PROGRAMS, T0 + 0.5, "A" * 32).start == expected


def test_an_event_that_is_over_is_not_begun() -> None:
    order = Order({Mode.IMPORT: 1.0}, 10, start=float(T0 - 30))
    with pytest.raises(DispatchError, match="over before"):
        make_event(order, PROGRAMS, T0, "A" * 32)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ({}, Query(0, 1, None)),
        ({"s": "2", "l": "5", "a": "0"}, Query(2, 5, 0)),
        ({"l": "4294967295"}, Query(0, 255, None)),
    ],
)
def test_queries(text: dict[str, str], query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", " 1", "\u0663"])
def test_senseless_queries(text: str) -> None:
    with pytest.raises(RequestError, match="l="):
        parse_query({"l": text})


@given(st.lists(st.integers(0, 50)), st.integers(0, 60), st.integers(0, 60), st.integers(0, 50))
def test_pages_tile_the_list(items: list[int], start: int, limit: int, after: int) -> None:
    found = page(items, Query(start, limit))
    assert found.all == len(items)
    assert list(found.items) == items[start : start + limit]
    later = page(items, Query(0, len(items), after), lambda item: item)
    assert list(later.items) == [item for item in items if item > after]
    ignored = page(items, Query(0, len(items), after))
    assert list(ignored.items) == items


@pytest.mark.parametrize(
    ("since_kept_s", "until_due_s", "pause"),
    [
        (0.0, None, 60.0),
        (59.0, None, 1.0),  # woken by a dispatch just before: revocation lists wait no longer
        (59.0, 30.0, 1.0),
        (10.0, 30.0, 30.0),
        (10.0, -1.0, 0.0),
        (61.0, None, 0.0),
    ],
)
def test_housekeeping_is_not_put_off_by_events(
    since_kept_s: float, until_due_s: float | None, pause: float
) -> None:
    assert pause_s(since_kept_s, until_due_s) == pause
