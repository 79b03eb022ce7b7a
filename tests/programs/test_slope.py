"""The rule of the slope: the course that it finds again, and what it measures."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import slope
from programs.inputs import Inputs
from programs.proposal import COURSE, Bounds, Rank
from programs.signal import Signal, SignalKind
from programs.slope import SlopePolicy, course_w, slope_w_min
from tests.examples import examples

NOW = 1_800_000_000.0
POWERS = st.floats(-20_000, 20_000, allow_nan=False)


def asked(w_min: float, *, binding: bool = False, ends_at: float = NOW + 600) -> Signal:
    return Signal("E1", "Smooth", SignalKind.SLOPE, w_min, NOW - 60, ends_at, binding)


def inputs(*signals: Signal, net_w: float | None = 1_000.0, past: float = 0.0) -> Inputs:
    points = () if net_w is None else tuple((NOW - 60 + n, past) for n in range(61))
    return Inputs(signals, {}, net_w, NOW, past_net=points)


@pytest.mark.requirement("BUC-2")
@pytest.mark.parametrize(
    ("signals", "policy", "ranks"),
    [
        ((), SlopePolicy(), []),
        ((asked(600),), SlopePolicy(), [Rank.ACCEPTED]),
        ((asked(600, binding=True),), SlopePolicy(), [Rank.BINDING]),
        ((asked(0),), SlopePolicy(), []),  # no home stands still: nothing is asked
        ((asked(600, ends_at=NOW),), SlopePolicy(), []),
        ((), SlopePolicy(900), [Rank.ECONOMY]),
        ((), SlopePolicy(900, binding=True), [Rank.BINDING]),
        ((asked(600),), SlopePolicy(900), [Rank.ACCEPTED, Rank.ECONOMY]),
    ],
)
def test_who_bounds_the_slope(
    signals: tuple[Signal, ...], policy: SlopePolicy, ranks: list[Rank]
) -> None:
    found = slope.propose(inputs(*signals), policy)
    assert [p.rank for p in found] == ranks
    assert {p.target for p in found} <= {COURSE}
    assert not slope.propose(inputs(*signals, net_w=None), policy)


@pytest.mark.requirement("BUC-2")
def test_the_next_second_is_within_the_rate_of_the_course() -> None:
    (found,) = slope.propose(inputs(past=500.0), SlopePolicy(600, used=1.0))
    assert found.bounds == Bounds(490.0, 510.0)
    (first,) = slope.propose(Inputs((), {}, 800.0, NOW), SlopePolicy(600, used=1.0))
    assert first.bounds == Bounds(790.0, 810.0)  # after a restart the home goes on from where it is


@pytest.mark.requirement("BUC-2")
@given(powers=st.lists(POWERS, min_size=1, max_size=130), rate=st.floats(0.1, 500))
@settings(max_examples=examples(200), deadline=None)
def test_the_course_never_moves_faster_than_its_rate(powers: list[float], rate: float) -> None:
    past = [(NOW + n, w) for n, w in enumerate(powers)]
    courses = [course_w(past[: n + 1], rate) for n in range(11, len(past))]
    steps = [abs(b - a) for a, b in pairwise(c for c in courses if c is not None)]
    assert all(step <= rate * (1 + 1e-9) + 1e-6 for step in steps)
    last = course_w(past, rate)
    assert last is not None
    assert min(powers) - 1e-6 <= last <= max(powers) + 1e-6


@pytest.mark.requirement("BUC-2")
@given(powers=st.lists(POWERS, min_size=40, max_size=61), level=POWERS, w_min=st.floats(-5e3, 5e3))
@settings(max_examples=examples(200), deadline=None)
def test_the_slope_is_that_of_the_line_which_fits_best(
    powers: list[float], level: float, w_min: float
) -> None:
    past = [(NOW - 60 + n * 60 / (len(powers) - 1), w) for n, w in enumerate(powers)]
    found = slope_w_min(past, NOW)
    assert found is not None

    # Oracle: no line near it fits better.
    def misfit(per_min: float) -> float:
        residues = [w - per_min * (at - NOW) / 60 for at, w in past]
        mean = sum(residues) / len(residues)
        return sum((r - mean) ** 2 for r in residues)

    step = max(abs(found), 1.0) * 1e-3
    assert misfit(found) <= min(misfit(found - step), misfit(found + step)) * (1 + 1e-12)
    line = [(at, level + w_min * (at - NOW) / 60) for at, _ in past]
    straight = slope_w_min(line, NOW)
    assert straight is not None
    assert math.isclose(straight, w_min, rel_tol=1e-6, abs_tol=1e-4)


@pytest.mark.requirement("BUC-2")
def test_a_minute_of_which_little_is_known_has_no_slope() -> None:
    assert slope_w_min([], NOW) is None
    assert slope_w_min([(NOW - n, 1.0) for n in range(20, -1, -1)], NOW) is None
