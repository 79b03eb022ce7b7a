"""Intervals that line up: means against a slow oracle, registers at the very bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import PhaseReading, Quality
from hems.store.visibility import Interval
from hems.visibility.intervals import LONGEST_GAP_S, Intervals
from tests.hems.visibility.metering import image, read

pytestmark = pytest.mark.requirement("BUC-13")

T0 = 1_800_000_000.0  # a multiple of 300


def _all(intervals: Intervals, images: list[object]) -> list[Interval]:
    return [row for each in images for row in intervals.take(each)]  # type: ignore[arg-type]


@given(
    st.lists(st.floats(0.2, 25.0), min_size=3, max_size=60),
    st.lists(st.floats(-9000, 9000), min_size=60, max_size=60),
    st.floats(0, 299),
)
def test_means_are_those_of_time_and_each_instant_counts_once(
    gaps: list[float], powers: list[float], ahead: float
) -> None:
    """Against an oracle that looks at each tenth of a second by itself."""
    at, times = T0 + round(ahead, 1), []
    for gap in gaps:
        times.append(at)
        at = round(at + round(gap, 1), 1)
    found = _all(Intervals(60), [read(t, p) for t, p in zip(times, powers, strict=False)])
    assert [row.start % 60 for row in found] == [0] * len(found)
    for row in found:
        seen = []
        for i in range(600):
            instant = row.start + (i + 0.5) / 10
            after = next((k for k, t in enumerate(times) if t >= instant), None)
            if after and times[after] - times[after - 1] <= LONGEST_GAP_S + 1e-6:
                seen.append(powers[after])
        assert row.measured == pytest.approx(len(seen) / 600, abs=0.02)
        if len(seen) > 5:
            assert row.power_w == pytest.approx(sum(seen) / len(seen), abs=9000 / len(seen) + 30)


def test_registers_stand_as_at_the_bound_itself() -> None:
    """10 Wh a second, read 0.4 s before and 0.6 s after the bound."""
    images = [
        read(T0 + 298.6 + i, 36_000.0, import_wh=(298.6 + i) * 10, export_wh=7.0) for i in range(4)
    ]
    (row,) = _all(Intervals(300), list(images))
    assert row.start == T0
    assert row.import_wh == pytest.approx(3000.0)
    assert row.export_wh == 7.0


def test_no_register_is_made_up_over_a_gap_or_a_changed_meter() -> None:
    late = _all(Intervals(300), [read(T0 + 290, import_wh=10.0), read(T0 + 305, import_wh=20.0)])
    assert [row.import_wh for row in late] == [] or late[0].import_wh is None
    changed = _all(
        Intervals(300),
        [
            read(T0 + 298, import_wh=500.0),
            read(T0 + 299, import_wh=500.0),
            read(T0 + 301, import_wh=3.0),
        ],
    )
    assert [row.import_wh for row in changed] == [None]


def test_a_meter_that_was_changed_for_one_with_more_on_it_makes_no_register_up() -> None:
    changed = [read(T0 + 299, import_wh=500.0), read(T0 + 301, import_wh=900_000.0)]
    (row,) = _all(Intervals(300), [read(T0 + 298, import_wh=500.0), *changed])
    assert row.import_wh is None


def test_a_meter_that_sends_each_ten_seconds_give_or_take_is_heard_all_the_time() -> None:
    late = [0.0, 0.3, -0.2, 0.4]
    times = [T0 - 10, *(T0 + 10 * i + late[i % 4] for i in range(1, 32))]
    found = _all(Intervals(300), [read(t, 100.0, import_wh=t - T0) for t in [T0 - 0.1, *times[1:]]])
    (row,) = [each for each in found if each.start == T0]
    assert row.measured == pytest.approx(1.0, abs=0.01)
    assert row.import_wh == pytest.approx(300.0)


def test_what_was_not_measured_is_not_made_up() -> None:
    lost = image(None, T0 + 120, Quality.LOST)
    found = _all(
        Intervals(300), [*(read(T0 + i, 100.0) for i in range(60)), lost, read(T0 + 301, 100.0)]
    )
    assert [round(row.measured, 3) for row in found] == [round(59 / 300, 3)]


def test_voltage_has_its_least_and_greatest() -> None:
    volts = [230.0, 251.2, 229.0, 230.0]
    near = _all(
        Intervals(4), [read(T0 + i, voltage_v=v) for i, v in enumerate([*volts, 231.0, 231.0])]
    )
    assert (near[0].voltage_least_v, near[0].voltage_most_v) == (229.0, 251.2)


def test_each_phase_has_its_own() -> None:
    parts = (
        PhaseReading(100.0, 229.0, 10.0, 5.0, 0.0),
        PhaseReading(-50.0, 231.0, 0.0, 0.0, 9.0),
        PhaseReading(None, 230.0),
    )
    found = _all(Intervals(2), [read(T0 + i, 50.0, phases=parts) for i in range(4)])
    assert [row.phase for row in found] == ["", "A", "B", "C"]
    assert [row.power_w for row in found] == [50.0, 100.0, -50.0, None]
    assert [row.reactive_var for row in found][1:] == [10.0, 0.0, None]
    assert [row.export_wh for row in found][1:] == [0.0, 9.0, None]
    assert math.isclose(found[2].voltage_v or 0.0, 231.0)


def test_one_reading_seen_twice_counts_once() -> None:
    intervals = Intervals(10)
    once = [read(T0 + i, 100.0 * i) for i in range(12)]
    twice = [each for each in once for _ in range(2)]
    assert _all(intervals, list(twice)) == _all(Intervals(10), list(once))
