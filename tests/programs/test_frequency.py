"""Response to the frequency: droop as a table, and which measurement is believed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.curves import Droop, GridFunction
from programs.frequency import COMMON_DROOP, Sense, SensePolicy, beyond_hz, droop_w

DROOP = Droop(GridFunction.FREQUENCY_DROOP, 0.02, 0.04, 0.01, 0.02)
"""Half a hertz above the band, one below it."""
POLICY = SensePolicy()


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("hz", "power_w"),
    [
        (50.0, 0.0),
        (50.02, 0.0),
        (49.96, 0.0),
        (50.12, 200.0),
        (50.52, 1000.0),
        (51.5, 1000.0),
        (49.86, -100.0),
        (48.96, -1000.0),
        (47.0, -1000.0),
    ],
)
def test_droop(hz: float, power_w: float) -> None:
    assert droop_w(hz, DROOP, 50.0, 1000.0) == pytest.approx(power_w, abs=1e-6)


@pytest.mark.requirement("BUC-3")
def test_the_common_droop_is_that_of_the_standard() -> None:
    """5 % of 60 Hz is 3 Hz beyond 36 mHz."""
    assert droop_w(60.036 + 1.5, COMMON_DROOP, 60.0, 4000.0) == pytest.approx(2000.0)


@given(
    st.floats(45, 55),
    st.floats(0, 0.5),
    st.floats(0.001, 0.2),
    st.floats(0.1, 10_000),
)
def test_droop_opposes_is_bounded_and_never_jumps(
    hz: float, band_hz: float, share: float, capacity_w: float
) -> None:
    droop = Droop(GridFunction.FREQUENCY_DROOP, band_hz, band_hz, share, share)
    power_w = droop_w(hz, droop, 50.0, capacity_w)
    assert abs(power_w) <= capacity_w
    assert power_w * (hz - 50.0) >= 0
    if abs(hz - 50.0) <= band_hz - 1e-9:
        assert power_w == 0
    step_w = abs(droop_w(hz + 1e-6, droop, 50.0, capacity_w) - power_w)
    assert step_w <= capacity_w * 1e-6 / (share * 50) * 1.01 + 1e-9
    # An obvious reckoning: a line through the band's edge, cut at the capacity.
    line_w = (abs(hz - 50.0) - band_hz) / (share * 50.0) * capacity_w
    assert abs(power_w) == pytest.approx(min(max(line_w, 0.0), capacity_w), abs=1e-6)


def test_beyond_the_band() -> None:
    assert beyond_hz(50.5, DROOP, 50.0) == pytest.approx(0.48)
    assert beyond_hz(49.5, DROOP, 50.0) == pytest.approx(-0.46)


def seen(*readings: tuple[float, float | None]) -> Sense:
    """Return what is believed after readings (time, Hz)."""
    sense = Sense()
    for at, hz in readings:
        sense = sense.look(hz, at, POLICY)
    return sense


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("readings", "now", "hz"),
    [
        ([], 0.0, None),
        ([(0.0, 49.9)], 0.0, 49.9),
        ([(0.0, 49.9), (0.1, None)], 1.0, 49.9),
        ([(0.0, 49.9), (0.1, math.nan)], 1.0, 49.9),
        ([(0.0, 49.9), (0.1, math.inf)], 1.0, 49.9),
        ([(0.0, 49.9), (0.1, 0.0)], 0.5, 49.9),
        ([(0.0, 49.9), (0.5, None)], 1.2, None),
        ([(0.0, 50.0), (0.1, 49.4)], 0.1, 49.4),
        ([(0.0, 50.0), (0.1, 46.0)], 0.1, 50.0),
        ([(0.0, 50.0), (0.1, 46.0), (0.2, 50.01)], 0.2, 50.01),
        ([(0.0, 50.0), (0.1, 48.0), (0.2, 47.9)], 0.2, 47.9),
        ([(0.0, 50.0), (0.1, 48.0), (0.2, 52.0)], 0.2, 50.0),
        ([(0.0, 50.0), (5.0, 48.0)], 5.0, 48.0),
    ],
    ids=[
        "nothing yet",
        "first",
        "missing",
        "no number",
        "infinite",
        "a dead register",
        "missing for too long",
        "a step that a grid can make",
        "one that none can",
        "which was garbage",
        "which came true",
        "garbage twice",
        "after a gap",
    ],
)
def test_which_frequency_is_believed(
    readings: list[tuple[float, float | None]], now: float, hz: float | None
) -> None:
    assert seen(*readings).believed(now, DROOP, POLICY) == hz


def test_a_frequency_that_is_stuck_outside_the_band_is_not_believed() -> None:
    stuck = seen(*((float(second), 49.7) for second in range(301)))
    assert stuck.believed(300.0, DROOP, POLICY) is None
    assert "to the last digit" in stuck.fault(300.0, DROOP, POLICY)
    moved = stuck.look(49.701, 301.0, POLICY)
    assert moved.believed(301.0, DROOP, POLICY) == 49.701


def test_one_that_rests_inside_the_band_asks_nothing_and_is_well() -> None:
    assert not seen(*((float(second), 50.0) for second in range(900))).fault(899.0, DROOP, POLICY)
