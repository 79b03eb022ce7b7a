"""Dates and hours by the clock on the wall, against asking the zone at every slot."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.local import by_day, is_free, local, steps
from hems.cem.slots import Slots
from tests.examples import examples

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
)


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(150), deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(1_300_000_000, 2_000_000_000),
    step_s=st.sampled_from([300, 900, 1800, 3600]),
    count=st.integers(0, 300),
)
def test_it_is_what_the_zone_says(zone: str, start: int, step_s: int, count: int) -> None:
    slots = Slots(float(start), float(step_s), count)
    found = local(slots, ZoneInfo(zone))
    for i, begins in enumerate(slots):
        when = datetime.fromtimestamp(begins, ZoneInfo(zone))
        assert found.days[i] == when.date().toordinal()
        assert found.seconds[i] == when.hour * 3600 + when.minute * 60 + when.second


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), 23.0),
        ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 25.0),
        ("Australia/Adelaide", datetime(2026, 10, 3, 14, 30, tzinfo=UTC), 23.0),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 13, 30, tzinfo=UTC), 23.5),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, 0, tzinfo=UTC), 24.5),
        ("Asia/Kolkata", datetime(2026, 10, 3, 18, 30, tzinfo=UTC), 24.0),
    ],
)
def test_a_day_is_as_long_as_its_clock_makes_it(zone: str, day: datetime, hours: float) -> None:
    slots = Slots(day.timestamp(), 900.0, 4 * 30)
    found = local(slots, ZoneInfo(zone))
    assert found.seconds[0] == 0.0
    assert np.sum(found.days == found.days[0]) * 0.25 == hours


def test_a_skipped_hour_is_unknown_and_of_one_gone_through_twice_the_second_counts() -> None:
    zone = ZoneInfo("Europe/Berlin")
    spring = Slots(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp(), 3600.0, 23)
    when = local(spring, zone)
    table, first = by_day(np.arange(23.0), when, 3600.0)
    assert first == date(2026, 3, 29).toordinal()
    assert np.isnan(table[0, 2])
    assert np.isfinite(table[0]).sum() == 23
    autumn = Slots(datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp(), 3600.0, 25)
    table, _ = by_day(np.arange(25.0), local(autumn, zone), 3600.0)
    assert table[0].tolist() == [0.0, 1.0, 3.0, *np.arange(4.0, 25.0)]


def test_free_days_are_week_ends_and_holidays() -> None:
    monday = date(2026, 11, 16).toordinal()
    days = monday + np.arange(7)
    assert is_free(days, frozenset()).tolist() == [False] * 5 + [True] * 2
    assert is_free(days, frozenset({monday + 2})).tolist()[2]


def test_steps_of_a_day_hold_the_clock() -> None:
    when = local(Slots(86400.0 * 20_000, 900.0, 96), ZoneInfo("Asia/Kathmandu"))
    assert steps(when, 900.0)[0] == 23
    assert steps(when, 3600.0)[0] == 5
