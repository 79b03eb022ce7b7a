"""The windows of a reserve by the clock on the wall, days of 23 and 25 hours among them."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.reserves.terms import Hours, due, windows
from programs.commitment import Product

PARIS = ZoneInfo("Europe/Paris")


def at(*when: int) -> float:
    """Return an instant by the clock in Paris."""
    return datetime(*when, tzinfo=PARIS).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.requirement("BUC-9")
@pytest.mark.parametrize(
    ("hours", "day", "long_h"),
    [
        (Hours(time(17), time(21)), (2026, 1, 10), 4),
        (Hours(time(22), time(6)), (2026, 1, 10), 8),
        (Hours(time(22), time(6)), (2026, 3, 28), 7),  # the clock jumps ahead in that night
        (Hours(time(22), time(6)), (2026, 10, 24), 9),
        (Hours(time(0), time(0)), (2026, 3, 29), 23),
        (Hours(time(0), time(0)), (2026, 10, 25), 25),
    ],
)
def test_a_window_is_what_the_clock_says(
    hours: Hours, day: tuple[int, int, int], long_h: float
) -> None:
    starts_at = at(*day, hours.begins.hour, hours.begins.minute)
    found = [w for w in windows([hours], PARIS, at(*day, 12)) if w.starts_at == starts_at]
    assert [w.long_s / 3600 for w in found] == [long_h]


def test_a_window_within_the_hour_that_is_skipped_is_none() -> None:
    found = windows([Hours(time(2, 10), time(2, 50))], PARIS, at(2026, 3, 29, 1))
    assert at(2026, 3, 29, 3) not in {w.starts_at for w in found}
    assert all(w.long_s == 2400.0 for w in found)


@given(st.integers(0, 366 * 24 * 4), st.integers(0, 47), st.integers(0, 47))
def test_windows_are_in_order_and_not_over(quarter: int, begins: int, ends: int) -> None:
    now = at(2026, 1, 1) + quarter * 900.0
    hours = Hours(time(begins // 2, begins % 2 * 30), time(ends // 2, ends % 2 * 30))
    found = windows([hours], PARIS, now)
    assert [w.starts_at for w in found] == sorted({w.starts_at for w in found})
    assert all(w.ends_at > now and w.long_s > 0 for w in found)
    assert len(found) >= 1


@pytest.mark.requirement("BUC-9")
def test_when_it_is_offered() -> None:
    hours = [Hours(time(17), time(21))]
    *_, window = windows(hours, PARIS, at(2026, 3, 28, 12))  # tomorrow's, the short day's
    assert window.starts_at == at(2026, 3, 29, 17)
    ahead = {h: due(Product.DAY_AHEAD, window, PARIS, at(2026, 3, 28, h)) for h in (5, 6, 23)}
    assert ahead == {5: False, 6: True, 23: True}
    assert not due(Product.DAY_AHEAD, window, PARIS, at(2026, 3, 29, 0))
    spinning = {h: due(Product.SPINNING, window, PARIS, at(2026, 3, 29, h)) for h in (14, 15, 20)}
    assert spinning == {14: False, 15: True, 20: True}
    assert not due(Product.SPINNING, window, PARIS, at(2026, 3, 29, 21))
