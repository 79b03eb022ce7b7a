"""The customer baseline: comparable days, over holidays of events and changes of the clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.participation.baseline import (
    LEAST_DAYS,
    QUARTER_S,
    Baseline,
    comparable,
    constant,
    customer,
    intervals,
    quarters,
)

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def test_quarters_are_those_that_a_time_touches() -> None:
    assert quarters(900.0, 1800.0) == [(900, 900.0)]
    assert quarters(1000.0, 2000.0) == [(900, 800.0), (1800, 200.0)]
    assert quarters(1000.0, 1000.0) == []


@given(st.floats(0, 1e6), st.floats(0.001, 1e5))
def test_quarters_add_up_to_the_whole(start: float, length_s: float) -> None:
    found = quarters(start, start + length_s)
    assert sum(s for _, s in found) == pytest.approx(length_s, abs=1e-6)
    assert all(q % QUARTER_S == 0 and 0 < s <= QUARTER_S for q, s in found)


def test_working_days_are_compared_with_working_days() -> None:
    monday = at("2026-11-23T18:00")
    days = comparable(monday, 900.0, BERLIN, [])
    assert days[:2] == [at("2026-11-20T18:00"), at("2026-11-19T18:00")]
    assert all(datetime.fromtimestamp(d, BERLIN).weekday() < 5 for d in days)
    saturday = at("2026-11-21T18:00")
    assert comparable(saturday, 900.0, BERLIN, [])[0] == at("2026-11-15T18:00")


def test_a_day_with_another_event_does_not_count() -> None:
    monday = at("2026-11-23T18:00")
    busy = [(at("2026-11-20T07:00"), at("2026-11-20T07:30"))]
    assert comparable(monday, 900.0, BERLIN, busy)[0] == at("2026-11-19T18:00")


def test_a_time_that_reaches_into_the_event_itself_does_not_count() -> None:
    thursday = at("2026-11-19T12:00")
    days = comparable(thursday, 2 * DAY, BERLIN, [])
    assert days[0] == at("2026-11-17T12:00")
    assert all(day + 2 * DAY <= thursday for day in days)


def test_a_night_whose_morning_had_an_event_does_not_count() -> None:
    night = at("2026-11-26T23:00")  # a Thursday
    busy = [(at("2026-11-25T01:00"), at("2026-11-25T02:00"))]
    days = comparable(night, 3 * 3600.0, BERLIN, busy)
    assert days[:2] == [at("2026-11-23T23:00"), at("2026-11-20T23:00")]


def test_the_time_on_the_wall_counts_where_the_clock_was_changed() -> None:
    after = at("2026-10-26T18:00")  # the night before, the clock was set back
    before = comparable(after, 900.0, BERLIN, [])[0]
    assert before == at("2026-10-23T18:00")
    assert after - before == 3 * DAY + 3600.0
    powers = {round(before - d * DAY): 100.0 * (d + 1) for d in (0, 1, 2)}
    found = customer(after, after + 900.0, [before - d * DAY for d in (0, 1, 2)], powers)
    assert found is not None
    assert found.mean_w(after, after + 900.0) == pytest.approx(200.0)


def test_too_few_days_tell_nothing() -> None:
    start = at("2026-11-23T18:00")
    days = [start - DAY * d for d in range(1, LEAST_DAYS)]
    assert customer(start, start + 900, days, {round(d): 1.0 for d in days}) is None
    assert customer(start, start + 900, [], {}) is None


def test_a_day_that_was_hardly_metered_does_not_count() -> None:
    start = at("2026-11-23T18:00")
    days = [start - DAY * d for d in range(1, 5)]
    powers = {round(d) + q: 1000.0 for d in days for q in range(0, 3600, 900)}
    del powers[round(days[0]) + 900], powers[round(days[0]) + 1800]
    found = customer(start, start + 3600, days, powers)
    assert found is not None
    assert found.words == "the mean of the same time on 3 comparable days"


def test_what_is_unknown_in_part_has_no_mean() -> None:
    assert Baseline({900: 100.0}, "").mean_w(900.0, 2000.0) is None
    assert constant(1000.0, 2000.0, 250.0, "").mean_w(1000.0, 2000.0) == 250.0


def test_quarter_hours_of_an_event() -> None:
    found = intervals(1000.0, 2000.0, constant(1000.0, 2000.0, 3600.0, ""), {900: (1800.0, 600.0)})
    assert [(i.start, i.length_s) for i in found] == [(1000.0, 800.0), (1800.0, 200.0)]
    assert [i.baseline_wh for i in found] == [800.0, 200.0]
    assert [i.metered_wh for i in found] == [300.0, None]
    assert [i.measured_s for i in found] == [600.0, 0.0]
    assert all(i.baseline_wh is None for i in intervals(1000.0, 2000.0, None, {}))
