"""When a car usually leaves."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.planner.question import Stay
from hems.planning.leaving import LEAST, NEAR_MIN, next_leaving, usual

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 6, 15, tzinfo=ZONE)


def left_at(day: int, clock: time) -> float:
    return datetime.combine(MONDAY.date() + timedelta(days=day), clock, ZONE).timestamp()


def stay(day: int, clock: time, hours: float = 9.0, device: str = "car") -> Stay:
    at = left_at(day, clock)
    return Stay(device, at - hours * 3600, at)


WORK = [stay(day, time(7, 15 + day)) for day in range(5)]
WEEKEND = [stay(day, time(10, 30)) for day in (-9, -8, -2, -1)]


@pytest.mark.parametrize(
    ("stays", "now", "found"),
    [
        (WORK, left_at(6, time(20)), left_at(7, time(7, 15))),  # Sunday evening: Monday morning
        (WORK, left_at(4, time(20)), left_at(7, time(7, 15))),  # Friday evening: over the weekend
        (WORK + WEEKEND, left_at(4, time(20)), left_at(5, time(10, 30))),
        (WORK[: LEAST - 1], left_at(6, time(20)), None),
        (WORK, left_at(70, time(1)), None),  # long ago
        ([stay(d, time(7), 0.2) for d in range(5)], left_at(6, time(20)), None),  # looked in only
        ([stay(d, time(4 * d)) for d in range(5)], left_at(6, time(20)), None),  # at any time
        ([Stay("car", 0.0)], left_at(6, time(20)), None),
    ],
)
def test_the_next_time(stays: list[Stay], now: float, found: float | None) -> None:
    assert next_leaving(stays, "car", ZONE, now) == (
        None if found is None else pytest.approx(found, abs=5 * 60 + 1)
    )
    assert next_leaving(stays, "other", ZONE, now) is None


def test_round_midnight() -> None:
    left = ((1, 23, 50), (2, 0, 10), (3, 0, 5))
    at = [datetime(2026, 1, d, h, m, tzinfo=UTC) for d, h, m in left]
    assert usual(at) == time(0, 5)


MINUTES = st.lists(st.integers(0, 1439), max_size=12)


@given(MINUTES)
def test_as_the_obvious_search_over_all_minutes_has_it(minutes: list[int]) -> None:
    found = usual([datetime(2026, 1, 1, *divmod(m, 60), tzinfo=UTC) for m in minutes])

    def way(one: int, other: int) -> int:
        return min((one - other) % 1440, (other - one) % 1440)

    if found is None:
        best = [m for m in minutes if sum(way(m, o) for o in minutes) == least(minutes, way)]
        assert (
            any(
                (near := sum(way(m, o) <= NEAR_MIN for o in minutes)) < LEAST
                or near * 2 <= len(minutes)
                for m in best
            )
            or not minutes
        )
        return
    at = found.hour * 60 + found.minute
    assert at % 5 == 0
    assert sum(way(at, o) <= NEAR_MIN + 2 for o in minutes) >= LEAST
    assert sum(way(at, o) for o in minutes) <= least(minutes, way) + 3 * len(minutes)


def least(minutes: list[int], way: Callable[[int, int], int]) -> int:
    return min(sum(way(m, o) for o in minutes) for m in minutes)
