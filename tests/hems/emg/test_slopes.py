"""Bounds on the slope that come with events: agreed ones, and on the way back."""

import pytest

from hems.emg.slopes import RETURN_S, Slopes
from hems.sep2.rules.events import Active, Program, Schedule
from programs.signal import SignalKind

SMOOTH, OTHER = Program("A" * 32, "Smooth"), Program("B" * 32, "Other")


def active(program: Program, event: str = "E1", *, default: bool = False) -> Active:
    end = float("inf") if default else 700.0
    start = float("-inf") if default else 100.0
    return Active("opModImpLimW", 1_500.0, event, program, start, end, True, default=default)


def schedule(*entries: Active) -> Schedule:
    return Schedule(100.0, {f"mode{n}": entry for n, entry in enumerate(entries)})


def bounds(slopes: Slopes, now: float) -> list[tuple[str, float, float]]:
    found = slopes.signals(now)
    assert all(s.kind is SignalKind.SLOPE for s in found)
    return [(s.event, s.value, s.ends_at) for s in found]


@pytest.mark.requirement("BUC-2")
@pytest.mark.parametrize("key", ["Smooth", "A" * 32])
def test_an_event_of_a_programme_with_an_agreed_slope_brings_it(key: str) -> None:
    slopes = Slopes({key: 500.0}, None)
    both = schedule(active(SMOOTH), active(SMOOTH), active(OTHER, "E2"))
    slopes.follow(both, 100.0, frozenset())
    assert bounds(slopes, 200.0) == [("E1", 500.0, 700.0)]
    assert bounds(slopes, 700.0) == []
    slopes.follow(schedule(active(SMOOTH, default=True)), 701.0, frozenset())
    assert bounds(slopes, 702.0) == []  # by default nothing is bounded


@pytest.mark.requirement("BUC-2")
def test_the_return_from_any_event_is_bounded_for_a_time() -> None:
    slopes = Slopes({}, 2_000.0)
    standing = active(OTHER, "D1", default=True)
    slopes.follow(schedule(active(OTHER, "E2"), standing), 100.0, frozenset())
    assert bounds(slopes, 200.0) == []
    slopes.follow(schedule(standing), 300.0, frozenset())
    assert bounds(slopes, 300.0) == [("E2", 2_000.0, 300.0 + RETURN_S)]
    (found,) = slopes.signals(300.0)
    assert (found.program, found.binding) == ("The way back from Other", False), "no utility's word"
    slopes.shift(1_000.0)
    assert bounds(slopes, 1_299.0) == []
    assert bounds(slopes, 1_300.0 + RETURN_S - 1) != []
    assert bounds(slopes, 1_300.0 + RETURN_S) == []
