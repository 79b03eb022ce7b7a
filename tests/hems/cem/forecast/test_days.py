"""Past days over coming slots: means on other steps, the clock's hours, what came just before."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.forecast.days import DAY_S, alike_days, before, resampled, sources, trend
from hems.cem.slots import Slots

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""Its summer time is half an hour."""
VALUES = st.one_of(st.floats(0.0, 5000.0), st.just(math.nan))


def overlap_mean(values: list[float], of: Slots, begins: float, ends: float) -> float:
    """Return the mean of what is known between two times, slot by slot; NaN if under half is."""
    time = energy = 0.0
    for start, value in zip(of, values, strict=True):
        part = min(ends, start + of.step_s) - max(begins, start)
        if part > 0 and math.isfinite(value):
            time += part
            energy += part * value
    return energy / time if time >= (ends - begins) / 2 - 1e-6 else math.nan


@given(
    st.lists(VALUES, max_size=12),
    st.sampled_from([300.0, 900.0, 1000.0, 3600.0]),
    st.sampled_from([300.0, 900.0, 3600.0]),
    st.integers(-20, 20),
)
def test_means_on_other_steps_are_those_of_what_is_known(
    values: list[float], step_s: float, wanted_s: float, shift: int
) -> None:
    of = Slots(7200.0, step_s, len(values))
    to = Slots(7200.0 + 250.0 * shift, wanted_s, 6)
    found = resampled(np.array(values), of, to)
    wanted = [overlap_mean(values, of, start, start + wanted_s) for start in to]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def test_days_before_end_where_the_slots_begin() -> None:
    coming = Slots(1_000_000.0, 900.0, 10)
    assert before(coming, 3).end == coming.start
    assert before(coming, 3).count == 3 * 96


@given(st.integers(1, 9), st.sampled_from([900.0, 3600.0]), st.integers(1, 70))
def test_a_course_is_of_the_same_time_of_day_and_never_of_the_future(
    days: int, step_s: float, hours: int
) -> None:
    coming = Slots(1_700_000_000.0 // step_s * step_s, step_s, math.ceil(hours * 3600 / step_s))
    window = before(coming, days + 3)
    rows = sources(window, coming, days)
    ends = window.start + (rows + 1) * step_s
    assert (ends <= coming.start).all()
    ago = np.array(list(coming)) - (window.start + rows * step_s)
    assert (ago % DAY_S == 0).all()
    assert (ago[:, 0] == DAY_S * np.arange(1, days + 1)).all()


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (BERLIN, datetime(2025, 3, 30, tzinfo=BERLIN)),
        (BERLIN, datetime(2025, 10, 26, tzinfo=BERLIN)),
        (LORD_HOWE, datetime(2025, 10, 5, tzinfo=LORD_HOWE)),
        (LORD_HOWE, datetime(2025, 4, 6, tzinfo=LORD_HOWE)),
    ],
)
def test_breakfast_stays_breakfast_when_the_clocks_change(zone: ZoneInfo, day: datetime) -> None:
    coming = Slots(day.timestamp() + 6 * 3600.0, 900.0, 60)
    window = before(coming, 6)
    rows = sources(window, coming, 3, zone)
    for row in rows:
        for slot, source in zip(coming, row, strict=True):
            now = datetime.fromtimestamp(slot, zone)
            then = datetime.fromtimestamp(window.start + source * 900.0, zone)
            assert (then.hour, then.minute) == (now.hour, now.minute)


@given(st.lists(VALUES, min_size=1, max_size=30), st.floats(0.3, 8.0))
def test_a_trend_is_a_mean_in_which_the_nearest_counts_most(
    values: list[float], memory: float
) -> None:
    found = trend(np.array(values), memory)
    reach = max(1, math.ceil(3 * memory))
    for i, trended in enumerate(found):
        near = [
            (math.exp(-(i - j) / memory), values[j])
            for j in range(max(0, i - reach + 1), i + 1)
            if math.isfinite(values[j])
        ]
        if not near:
            assert math.isnan(trended)
        else:
            mean = sum(w * v for w, v in near) / sum(w for w, _ in near)
            assert trended == pytest.approx(mean, rel=1e-6, abs=1e-6)


def test_days_on_which_people_live_alike() -> None:
    monday = datetime(2025, 6, 2, 12, tzinfo=UTC)
    coming = Slots(monday.timestamp(), 3600.0, 24)
    # Sunday, Saturday, Friday … back to Monday
    free = [False, False, True, True, True, True, True]
    assert alike_days(coming, 7, UTC_ZONE, frozenset()).tolist() == free
    friday = frozenset({datetime(2025, 5, 30, tzinfo=UTC).toordinal()})
    assert alike_days(coming, 7, UTC_ZONE, friday).tolist() == [
        *(False, False, False),
        *(True, True, True, True),
    ]
    today = frozenset({monday.toordinal()})
    assert alike_days(coming, 7, UTC_ZONE, today).tolist() == [not alike for alike in free]
