"""Duty cycles: when loads rest, and which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs import duty_cycle
from programs.duty_cycle import DutyCyclePolicy, rests
from programs.inputs import Inputs
from programs.signal import Signal, SignalKind

POLICY = DutyCyclePolicy(period_s=1800.0)


@pytest.mark.requirement("BUC-5")
@pytest.mark.parametrize(
    ("since_s", "share", "expected"),
    [
        (0, 50, True),
        (899, 50, True),
        (900, 50, False),
        (1799, 50, False),
        (1800, 50, True),
        (0, 100, False),
        (1799, 0, True),
        (1619, 10, True),
        (1620, 10, False),
    ],
)
def test_each_period_begins_with_the_rest(since_s: float, share: float, expected: bool) -> None:
    assert rests(since_s, share, POLICY) is expected


@given(st.integers(0, 100), st.integers(0, 20))
def test_over_whole_periods_the_share_is_kept(share: int, first_period: int) -> None:
    start = first_period * 1800
    running = sum(not rests(t, share, POLICY) for t in range(start, start + 1800))
    assert running == 18 * share


@pytest.mark.requirement("BUC-5")
def test_what_can_be_taken_away_rests_and_nothing_else() -> None:
    devices = {
        control.value: DeviceState(
            DeviceSpec(control.value, DeviceKind.EVSE, control.value, control, -5000, 5000),
            Reading(0.0, 0.0),
            Quality.GOOD,
        )
        for control in Control
    }
    asked = Signal("E1", "Grid", SignalKind.DUTY_CYCLE, 50.0, 1000.0, 9000.0, binding=False)
    resting = duty_cycle.propose(Inputs([asked], devices, 0.0, 1100.0), POLICY)
    assert {p.target for p in resting} == {"ceiling", "switch"}
    assert {p.bounds.upper_w for p in resting} == {0.0}
    assert duty_cycle.propose(Inputs([asked], devices, 0.0, 2000.0), POLICY) == ()
