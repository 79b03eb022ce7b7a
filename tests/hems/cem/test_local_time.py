"""The clock on the wall: the next time it shows, over days of 23 and 25 hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.local_time import instant, next_time, words

BERLIN = ZoneInfo("Europe/Berlin")
HOWE = ZoneInfo("Australia/Lord_Howe")  # its clock moves by half an hour
KOLKATA = ZoneInfo("Asia/Kolkata")
ZONES = [BERLIN, HOWE, KOLKATA, ZoneInfo("America/St_Johns"), ZoneInfo("UTC")]


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("clock", "zone", "after", "found"),
    [
        ("07:00", BERLIN, "2026-01-10T05:59", "2026-01-10T06:00"),
        ("07:00", BERLIN, "2026-01-10T06:00", "2026-01-11T06:00"),
        ("00:00", BERLIN, "2026-01-10T22:30", "2026-01-10T23:00"),
        # 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC
        ("02:30", BERLIN, "2026-03-28T12:00", "2026-03-29T01:00"),
        ("03:00", BERLIN, "2026-03-28T12:00", "2026-03-29T01:00"),
        ("03:10", BERLIN, "2026-03-28T12:00", "2026-03-29T01:10"),
        ("01:59", BERLIN, "2026-03-28T12:00", "2026-03-29T00:59"),
        # 25 October 2026: 03:00 becomes 02:00, at 01:00 UTC
        ("02:30", BERLIN, "2026-10-24T12:00", "2026-10-25T00:30"),
        ("02:30", BERLIN, "2026-10-25T00:45", "2026-10-26T01:30"),
        ("03:00", BERLIN, "2026-10-24T12:00", "2026-10-25T02:00"),
        # 4 October 2026: 02:00 becomes 02:30, at 15:30 UTC the day before
        ("02:10", HOWE, "2026-10-03T12:00", "2026-10-03T15:30"),
        ("06:30", KOLKATA, "2026-01-10T00:00", "2026-01-10T01:00"),
    ],
)
@pytest.mark.requirement("TIME-STAMP")
def test_the_next_time(clock: str, zone: ZoneInfo, after: str, found: str) -> None:
    assert next_time(time.fromisoformat(clock), zone, utc(after)) == utc(found)


def test_days_of_the_week() -> None:
    saturday = utc("2026-01-10T12:00")
    assert next_time(time(7), BERLIN, saturday, {0}) == utc("2026-01-12T06:00")
    assert next_time(time(7), BERLIN, saturday, {5}) == utc("2026-01-17T06:00")
    assert next_time(time(7), BERLIN, saturday, ()) is None


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    minute=st.integers(0, 1439),
    after=st.integers(int(utc("2025-01-01")), int(utc("2027-12-31"))),
)
def test_it_is_the_first_that_shows_it(zone: ZoneInfo, minute: int, after: int) -> None:
    """The oracle walks the clock minute by minute; a time that is jumped over ends its walk."""
    clock = time(minute // 60, minute % 60)
    found = next_time(clock, zone, after)
    assert found is not None
    assert after < found <= after + 25.5 * 3600
    shown = datetime.fromtimestamp(found, zone)
    if shown.time() != clock:
        before = datetime.fromtimestamp(found - 1, zone)
        assert before.time() < clock < shown.time(), "the clock jumped over it"
    earliest = (after // 60 + 1) * 60
    for at in range(earliest, int(found), 60):
        shown = datetime.fromtimestamp(at, zone)
        again = shown.fold == 1  # the second showing of a time is no new one
        assert shown.time() != clock or again


def test_words_tell_the_day_and_the_zone_where_it_is_needed() -> None:
    now = utc("2026-10-24T20:00")
    assert words(utc("2026-10-25T00:30"), BERLIN, now) == "02:30 CEST"
    assert words(utc("2026-10-25T01:30"), BERLIN, now) == "02:30 CET"
    assert words(utc("2026-10-25T02:00"), BERLIN, now) == "03:00"
    assert words(utc("2026-10-26T06:00"), BERLIN, now) == "Mon 07:00"
    assert words(utc("2026-03-29T01:10"), BERLIN, utc("2026-03-28T20:00")) == "03:10"


def test_an_instant_of_a_day() -> None:
    day = datetime(2026, 3, 29, tzinfo=BERLIN).date()
    assert instant(day, time(2, 30), BERLIN) == utc("2026-03-29T01:00")
    assert instant(day - timedelta(days=1), time(2, 30), BERLIN) == utc("2026-03-28T01:30")
