"""Regulation's rules: the base, the fading signal, the span, and when a battery regulates."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs.arming import Agreed, Armed, By, arm
from programs.frequency import COMMON_DROOP
from programs.inputs import Inputs
from programs.proposal import Bounds, Rank
from programs.regulation import (
    FadePolicy,
    RegulationPolicy,
    faded,
    propose,
    propose_support,
    restore_w,
    signal_w,
    slewed,
    target_w,
)
from programs.signal import Signal, SignalKind

SPEC = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 4000.0)
COMMITTED = RegulationPolicy("battery", 2000.0, Rank.ACCEPTED, follows=True, cause="E1")
EVENT = Signal("E1", "Regulation", SignalKind.STORAGE_POWER, 0.0, 0.0, 3600.0, binding=False)
NOW = 100.0


def battery(soc: float | None = 0.5, quality: Quality = Quality.GOOD) -> DeviceState:
    return DeviceState(SPEC, Reading(NOW, 0.0, soc=soc, capacity_wh=10_000.0), quality)


def inputs(state: DeviceState, *signals: Signal) -> Inputs:
    return Inputs(signals, {"battery": state}, 0.0, NOW)


@pytest.mark.requirement("BUC-3")
def test_the_base_leaves_room_for_the_swing_both_ways() -> None:
    room, base = propose(inputs(battery()), COMMITTED)
    assert room.bounds == Bounds(-3000.0, 2000.0)
    assert (room.rank, room.preferred_w) == (Rank.OWNER, None)
    assert (base.rank, base.preferred_w, base.cause) == (Rank.ACCEPTED, 0.0, "E1")


def test_a_capacity_beyond_the_rating_leaves_the_middle() -> None:
    room, _ = propose(inputs(battery()), replace(COMMITTED, capacity_w=9000.0))
    assert room.bounds == Bounds(-500.0, -500.0)


def test_an_event_s_set_point_is_the_base() -> None:
    assert [p.preferred_w for p in propose(inputs(battery(), EVENT), COMMITTED)] == [None]


def test_response_to_the_frequency_alone_leaves_the_base_to_the_home() -> None:
    (room,) = propose(inputs(battery()), RegulationPolicy("battery", 2000.0))
    assert (room.rank, room.preferred_w) == (Rank.ECONOMY, None)


@pytest.mark.parametrize("policy", [RegulationPolicy(), RegulationPolicy("other", 2000.0)])
def test_nobody_regulates_without_a_battery(policy: RegulationPolicy) -> None:
    assert propose(inputs(battery()), policy) == ()
    assert propose_support(inputs(battery()), policy) == ()


@pytest.mark.requirement("BUC-3")
def test_the_inverter_is_asked_to_run_its_own_droop() -> None:
    """2 kW of an inverter of 5 kW: the same watts for the same hertz."""
    policy = RegulationPolicy("battery", 2000.0, loops=False, inverter=COMMON_DROOP, since=7.0)
    (wish,) = propose_support(inputs(battery()), policy)
    assert wish.what == replace(COMMON_DROOP, over_droop=0.125, under_droop=0.125)
    assert (wish.device, wish.starts_at) == ("battery", 7.0)
    assert propose(inputs(battery()), policy) == ()


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("soc", "base_w"),
    [(0.5, 0.0), (0.45, 500.0), (0.55, -500.0), (0.0, 1000.0), (1.0, -1000.0), (None, 0.0)],
)
def test_the_charge_is_brought_back_to_the_middle(soc: float | None, base_w: float) -> None:
    assert restore_w(battery(soc), COMMITTED) == pytest.approx(base_w)


def test_an_unknown_charge_is_left_alone() -> None:
    assert restore_w(battery(0.1, Quality.STALE), COMMITTED) == 0.0


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("age_s", "value"), [(0, 0.8), (10, 0.8), (12.5, 0.6), (15, 0.4), (20, 0.0), (1e9, 0.0)]
)
def test_a_signal_that_stops_fades(age_s: float, value: float) -> None:
    assert faded(0.8, age_s, FadePolicy(10.0, 10.0)) == pytest.approx(value)


def test_one_without_a_time_to_fade_ends_at_once() -> None:
    assert faded(0.8, 10.1, FadePolicy(10.0, 0.0)) == 0.0


def test_more_generation_is_asked_for_by_a_positive_signal() -> None:
    assert signal_w(0.25, 2000.0) == -500.0


@pytest.mark.requirement("BUC-3")
@given(st.floats(-5e3, 5e3), st.floats(-9e3, 9e3), st.floats(-6e3, 6e3), st.floats(-6e3, 6e3))
def test_the_target_keeps_to_the_span_or_the_base(
    base_w: float, swing_w: float, one_w: float, other_w: float
) -> None:
    span = Bounds(min(one_w, other_w), max(one_w, other_w))
    found_w = target_w(base_w, swing_w, span)
    if base_w in span:
        assert found_w in span
    assert min(base_w, base_w + swing_w) <= found_w <= max(base_w, base_w + swing_w)
    if base_w + swing_w in span:
        assert found_w == base_w + swing_w


@given(st.floats(-5e3, 5e3), st.floats(-5e3, 5e3), st.floats(0, 1e4))
def test_the_swing_changes_no_faster_than_it_may(
    before_w: float, wanted_w: float, most_w: float
) -> None:
    found_w = slewed(before_w, wanted_w, most_w)
    assert abs(found_w - before_w) <= most_w * 1.000001 + 1e-6
    assert abs(found_w - wanted_w) <= abs(before_w - wanted_w) + 1e-6


AGREED = Agreed("battery", COMMON_DROOP, By.AUTO, signal=True, program="Regulation")


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("agreed", "signals", "can", "left", "expected"),
    [
        (AGREED, [], False, False, Armed(COMMON_DROOP)),
        (AGREED, [], True, False, Armed(None, COMMON_DROOP)),
        (replace(AGREED, by=By.HUB), [], True, False, Armed(COMMON_DROOP)),
        (replace(AGREED, by=By.INVERTER), [], False, False, Armed()),
        (AGREED, [EVENT], False, False, Armed(COMMON_DROOP, None, True, EVENT)),
        (AGREED, [replace(EVENT, program="Other")], False, False, Armed(COMMON_DROOP)),
        (AGREED, [replace(EVENT, ends_at=NOW)], False, False, Armed(COMMON_DROOP)),
        (
            replace(AGREED, signal=False),
            [EVENT],
            True,
            False,
            Armed(None, COMMON_DROOP, False, EVENT),
        ),
        (replace(AGREED, program=""), [], False, False, Armed(COMMON_DROOP, None, True)),
        (replace(AGREED, droop=None), [], False, False, Armed()),
        (AGREED, [EVENT], False, True, Armed()),
    ],
)
def test_when_a_battery_regulates(
    agreed: Agreed, signals: list[Signal], can: bool, left: bool, expected: Armed
) -> None:
    assert arm(agreed, signals, NOW, inverter_can=can, left=left) == expected


def test_whose_word_it_is() -> None:
    assert Armed(COMMON_DROOP).rank is Rank.ECONOMY
    assert Armed(None, None, True, EVENT).rank is Rank.ACCEPTED
    assert Armed(None, None, True, replace(EVENT, binding=True)).rank is Rank.BINDING
