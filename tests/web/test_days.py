"""The page's days are the reports' days, whatever a zone does at midnight."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from web.days import day_at, day_bounds

HOUR_S = 3600.0


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 6, 17), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kathmandu", date(2026, 1, 1), 24),
        # The clock jumps over midnight, and is set back at midnight to the day before.
        ("Asia/Beirut", date(2024, 3, 31), 23),
        ("Asia/Beirut", date(2024, 10, 26), 25),
        ("America/Asuncion", date(2023, 10, 1), 23),
    ],
)
def test_a_day_is_whole_and_every_instant_of_it_is_its_own(
    zone: str, day: date, hours: float
) -> None:
    start, end = day_bounds(day, zone)
    assert end - start == hours * HOUR_S
    assert day_bounds(day - timedelta(days=1), zone)[1] == start
    at = start
    while at < end:
        assert day_at(at, zone) == day, datetime.fromtimestamp(at, ZoneInfo(zone))
        at += 600.0
    assert day_at(end, zone) == day + timedelta(days=1)


def test_without_a_named_zone_the_machine_s_counts() -> None:
    start, end = day_bounds(date(2026, 6, 17), "")
    assert start < end
    assert day_at(start, "") == date(2026, 6, 17)
    with pytest.raises(OverflowError):
        day_bounds(date.max, "UTC")
