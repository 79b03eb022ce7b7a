"""The civil calendar against a slow walk, minute by minute, with the clock that zoneinfo shows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hems.cem.civil import Before, Grain, Period, day_of, day_start, month_after, periods, shift
from tests.examples import examples

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",  # half an hour; until 2011 the clock was set at one minute past midnight
    "America/Havana",  # set back at one, to midnight
    "America/Sao_Paulo",  # midnight skipped, and shown twice
    "Asia/Kolkata",
    "Asia/Kathmandu",  # three quarters
    "Australia/Lord_Howe",  # daylight saving of half an hour
    "Pacific/Chatham",
    "Pacific/Apia",  # skipped 30 December 2011
    "Asia/Pyongyang",  # moved by half an hour, and back
    "America/Caracas",
    "Africa/Casablanca",
    "Europe/Volgograd",
]


def midnight(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=BERLIN).timestamp()


def walked(start: float, end: float, step: Grain, zone: ZoneInfo) -> Iterator[Period]:
    """Walk from minute to minute; a period begins where what the clock shows is new."""
    first = int(start) // 60 * 60 - 40 * 86_400
    newest: tuple[int, ...] = ()
    edges: list[float] = []
    for at in range(first, int(end) + 40 * 86_400, 60):
        now = datetime.fromtimestamp(at, zone)
        label: tuple[int, ...] = (now.year, now.month, now.day)
        if step is Grain.MONTH:
            label = label[:2]
        elif step is Grain.HOUR:
            offset = now.utcoffset()
            assert offset is not None
            label = (*label, now.hour, int(offset.total_seconds()))
        if (label != newest) if step is Grain.HOUR else (label > newest):
            edges.append(at)
            newest = label
    # The first edge is where the walk began, not where a period does.
    for begun, ended in pairwise(edges[1:]):
        if ended > start and begun < end:
            yield begun, ended


TIMES = st.integers(0, int(datetime(2034, 1, 1, tzinfo=UTC).timestamp()) // 60).map(
    lambda minute: minute * 60.0
)


@settings(max_examples=examples(25), deadline=None)
@given(TIMES.filter(lambda at: at > 86_400 * 80), st.integers(1, 3 * 1440), st.sampled_from(ZONES))
@example(midnight(2026, 3, 29), 1440, "Europe/Berlin")
@example(midnight(2026, 10, 25), 1440, "Europe/Berlin")
@example(datetime(2026, 4, 4, 12, tzinfo=UTC).timestamp(), 1440, "Australia/Lord_Howe")
@example(datetime(2026, 10, 3, 12, tzinfo=UTC).timestamp(), 1440, "Australia/Lord_Howe")
@example(datetime(2011, 12, 29, tzinfo=UTC).timestamp(), 2880, "Pacific/Apia")
@example(datetime(2010, 11, 7, 2, tzinfo=UTC).timestamp(), 120, "America/St_Johns")
@example(datetime(2015, 8, 14, tzinfo=UTC).timestamp(), 2880, "Asia/Pyongyang")
@example(datetime(2017, 10, 15, tzinfo=UTC).timestamp(), 1440, "America/Sao_Paulo")
@example(datetime(2018, 2, 17, tzinfo=UTC).timestamp(), 2880, "America/Sao_Paulo")
@example(datetime(2016, 5, 1, tzinfo=UTC).timestamp(), 1440, "America/Caracas")
def test_a_walk_by_the_minute_finds_the_same(start: float, minutes: int, name: str) -> None:
    zone = ZoneInfo(name)
    end = start + minutes * 60.0
    for step in (Grain.HOUR, Grain.DAY, Grain.MONTH):
        assert list(periods(start, end, step, zone)) == list(walked(start, end, step, zone))


@settings(max_examples=examples(200), deadline=None)
@given(TIMES, st.integers(1, 10_000_000), st.sampled_from(list(Grain)), st.sampled_from(ZONES))
def test_periods_lie_side_by_side_and_hold_all(
    start: float, length_s: int, step: Grain, name: str
) -> None:
    length_s = min(length_s, 3 * 86_400) if step in {Grain.MINUTE, Grain.QUARTER_HOUR} else length_s
    found = list(periods(start, start + length_s, step, ZoneInfo(name)))
    assert found[0][0] <= start < found[0][1]
    assert found[-1][0] < start + length_s <= found[-1][1]
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert all(begun < ended for begun, ended in found)


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.parametrize(
    ("zone", "day", "hours", "count"),
    [
        ("Europe/Berlin", date(2026, 6, 14), 24.0, 24),
        ("Europe/Berlin", date(2026, 3, 29), 23.0, 23),
        ("Europe/Berlin", date(2026, 10, 25), 25.0, 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5, 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5, 24),
        ("Asia/Kolkata", date(2026, 6, 14), 24.0, 24),
        ("Pacific/Apia", date(2011, 12, 30), 0.0, 0),
        ("Asia/Pyongyang", date(2015, 8, 14), 24.5, 25),
    ],
)
def test_days_have_the_length_that_they_have(
    zone: str, day: date, hours: float, count: int
) -> None:
    where = ZoneInfo(zone)
    start, end = day_start(day, where), day_start(date.fromordinal(day.toordinal() + 1), where)
    assert (end - start) / 3600.0 == hours
    if hours:
        assert list(periods(start, end, Grain.DAY, where)) == [(start, end)]
        assert len(list(periods(start, end, Grain.HOUR, where))) == count
        assert len(list(periods(start, end, Grain.QUARTER_HOUR, where))) == hours * 4
        assert day_of(start, where) == day_of(end - 1.0, where) == day


@pytest.mark.parametrize(
    ("start", "end", "by", "expected"),
    [
        ("2026-06-01", "2026-07-01", "before", "2026-05-01 2026-06-01"),
        ("2026-03-01", "2026-04-01", "before", "2026-02-01 2026-03-01"),
        ("2026-01-01", "2027-01-01", "before", "2025-01-01 2026-01-01"),
        ("2026-01-01", "2026-04-01", "before", "2025-10-01 2026-01-01"),
        ("2026-06-15", "2026-06-16", "before", "2026-06-14 2026-06-15"),
        ("2026-06-08", "2026-06-15", "before", "2026-06-01 2026-06-08"),
        ("2026-06-01", "2026-07-01", "year", "2025-06-01 2025-07-01"),
        ("2024-02-29", "2024-03-01", "year", "2023-02-28 2023-03-01"),
        ("2026-12-01", "2027-01-01", "year", "2025-12-01 2026-01-01"),
        ("2026-06-08", "2026-06-15", "year", "2025-06-09 2025-06-16"),
    ],
)
def test_what_days_are_compared_with(start: str, end: str, by: str, expected: str) -> None:
    found = shift(date.fromisoformat(start), date.fromisoformat(end), Before(by))
    assert " ".join(day.isoformat() for day in found) == expected


def test_the_month_after() -> None:
    assert month_after(date(2026, 1, 31)) == date(2026, 2, 1)
    assert month_after(date(2026, 12, 1)) == date(2027, 1, 1)
