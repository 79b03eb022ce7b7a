"""The benchmark of polling, once through: its figures are of what it says."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.modbus.frames import plan_frames
from tests.benchmarks.devices import COUNTS, DEVICES, figures, least_frames, points

pytestmark = pytest.mark.requirement("SVC-READ")


def test_both_read_the_same_points_in_the_fewest_frames() -> None:
    measured = asyncio.run(figures(2))
    assert {name: measured[name] for name in ("points", "devices", "rounds")} == {
        "points": 800,
        "devices": 10,
        "rounds": 2,
    }
    assert measured["frames"] == measured["frames_least"] == 3 * DEVICES
    assert {model: len(names) for model, names in points().items()} == COUNTS


spans = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20)), min_size=1, max_size=60)


@given(spans, st.integers(20, 60))
def test_the_drivers_frames_are_as_few_as_can_be(gaps: list[tuple[int, int]], most: int) -> None:
    placed: list[tuple[int, int]] = []
    at = 0
    for gap, count in gaps:
        placed.append((at + 7 * gap, count))
        at = placed[-1][0] + count
    frames = plan_frames(placed, most)
    assert len(frames) == least_frames(placed, most)
    assert all(a + n <= b for (a, n), (b, _) in pairwise(frames))
