"""The simulated grid's frequency: what is made has the statistics that it is made after."""

import random
import statistics
from itertools import pairwise

import pytest

from der.sim.physics.frequency import SPREAD_HZ, Course, Loss, synthesised
from der.sim.physics.supply import Supply


@pytest.mark.requirement("BUC-3")
def test_quiet_hours_spread_and_come_back_as_a_large_grid_does() -> None:
    course = synthesised(1, 24 * 3600)
    assert statistics.mean(course) == pytest.approx(50.0, abs=0.004)
    assert statistics.pstdev(course) == pytest.approx(SPREAD_HZ, rel=0.1)
    steps = [b - a for a, b in pairwise(course)]
    assert statistics.pstdev(steps) < 0.003
    later = statistics.correlation(course[:-180], course[180:])
    assert later == pytest.approx(1 / 2.718, abs=0.1)  # one time constant


def test_a_seed_decides() -> None:
    assert synthesised(1, 100) == synthesised(1, 100)
    assert synthesised(1, 100) != synthesised(2, 100)


@pytest.mark.requirement("BUC-3")
def test_a_loss_falls_fast_and_returns_slowly() -> None:
    loss = Loss(at_s=100.0)
    assert loss.off_hz(100.0) == 0
    assert loss.off_hz(101.0) == pytest.approx(-0.117, abs=0.01)  # about 0.1 Hz/s at first
    assert loss.off_hz(108.0) == pytest.approx(-0.6)
    assert -0.35 < loss.off_hz(130.0) < -0.2
    assert -0.02 < loss.off_hz(700.0) < 0
    course = synthesised(3, 600, [loss])
    assert 49.3 < min(course) < 49.5


def test_a_course_is_a_line_between_its_values_and_holds_the_last() -> None:
    now = [10.0]
    course = Course((50.0, 49.0, 49.5), 2.0, 10.0, lambda: now[0])
    seen = []
    for now[0] in (9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 99.0):
        seen.append(course.hz)
    assert seen == pytest.approx([50.0, 50.0, 49.5, 49.0, 49.25, 49.5, 49.5])


def test_the_supply_follows_a_course_unless_it_is_held() -> None:
    supply = Supply(random.Random(1))  # noqa: S311 - noise, not a secret
    supply.course = Course((49.4,), 1.0, 0.0)
    supply.feel(0.0)
    assert supply.frequency_hz == 49.4
    supply.fixed_hz = 50.2
    supply.feel(0.0)
    assert supply.frequency_hz == 50.2
