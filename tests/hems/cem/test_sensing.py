"""What is measured of the grid, followed from image to image."""

import math

import pytest

from der.model import DeviceSpec, DeviceState, PhaseReading, Quality, Reading
from hems.cem.sensing import Senses, SensingPolicy
from hems.image import Image
from tests.hems.cem.plant import BATTERY, METER, PV, T0

POLICY = SensingPolicy()


def image(
    at: float, volts: float | None = 230.0, hz: float | None = 50.0, var: float | None = 0.0,
    *, pv_var: float = 0.0, quality: Quality = Quality.GOOD,
) -> Image:  # fmt: skip
    def state(spec: DeviceSpec, power_w: float, moved: float | None) -> DeviceState:
        reading = Reading(at, power_w, reactive_var=moved, voltage_v=volts, frequency_hz=hz)
        return DeviceState(spec, reading, quality)

    states = (state(METER, 500.0, var), state(PV, -2000.0, pv_var), state(BATTERY, 100.0, None))
    return Image(at, 1, {s.spec.id: s for s in states})


def test_a_step_is_followed_to_90_per_cent_in_its_time() -> None:
    senses = Senses().look(image(T0), POLICY)
    for second in range(1, 11):
        senses = senses.look(image(T0 + second, 250.0), POLICY)
    assert senses.sensed.level_v == pytest.approx(248.0, abs=POLICY.hold_v + 0.1)
    assert senses.sensed.voltage_v == 250.0


def test_small_moves_are_held_still() -> None:
    senses = Senses().look(image(T0), POLICY)
    seen = set()
    for second in range(1, 60):
        senses = senses.look(image(T0 + second, 230.0 + 0.4 * (-1) ** second), POLICY)
        seen.add(senses.sensed.level_v)
    assert seen == {230.0}


def test_what_the_home_itself_moves_is_the_meters_less_the_devices() -> None:
    senses = Senses().look(image(T0, var=700.0, pv_var=500.0), POLICY)
    assert senses.sensed.base_var == 200.0
    assert Senses().look(image(T0, var=None), POLICY).sensed.base_var is None


def test_the_power_before_a_disturbance_stands_through_it() -> None:
    senses = Senses().look(image(T0), POLICY)
    disturbed = image(T0 + 1, hz=50.4)
    moved = DeviceState(PV, Reading(T0 + 1, -100.0), Quality.GOOD)
    senses = senses.look(Image(T0 + 1, 2, {**disturbed.devices, "pv": moved}), POLICY)
    assert senses.sensed.before_w["pv"] == -2000.0
    assert senses.look(image(T0 + 2, hz=60.0), POLICY).sensed.before_w["pv"] == -2000.0


def test_nothing_is_measured_by_who_is_not_there() -> None:
    senses = Senses().look(image(T0, quality=Quality.STALE), POLICY)
    assert (senses.sensed.voltage_v, senses.sensed.level_v) == (None, None)
    again = Senses().look(image(T0), POLICY).look(image(T0 + 100, 250.0), POLICY)
    assert again.sensed.level_v == 250.0  # after so long it begins anew


def test_the_same_image_counts_once_and_a_set_clock_moves_it() -> None:
    once = Senses().look(image(T0), POLICY)
    assert once.look(image(T0, 250.0), POLICY) == once
    assert once.shifted(3600.0).at == T0 + 3600


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 1e9])
def test_what_is_no_number_is_not_measured_and_leaves_no_trace(wrong: float) -> None:
    before = Senses().look(image(T0), POLICY)
    senses = before.look(image(T0 + 1, wrong, wrong), POLICY)
    assert (senses.sensed.voltage_v, senses.sensed.level_v) == (None, None)
    assert senses.sensed.frequency_hz is None
    assert senses.look(image(T0 + 2), POLICY).sensed.level_v == 230.0


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_reactive_power_that_is_no_number_leaves_no_trace(wrong: float) -> None:
    for one in (image(T0 + 1, var=wrong), image(T0 + 1, pv_var=wrong)):
        senses = Senses().look(image(T0, var=100.0), POLICY).look(one, POLICY)
        assert senses.sensed.base_var is None
        assert senses.look(image(T0 + 2, var=70.0), POLICY).sensed.base_var == 70.0


@pytest.mark.requirement("BUC-11")
def test_phases_are_told_apart_and_their_spread_is_followed() -> None:
    def uneven(at: float, *volts: float) -> Image:
        phases = tuple(PhaseReading(voltage_v=v) for v in volts)
        state = DeviceState(METER, Reading(at, 0.0, phases=phases), Quality.GOOD)
        return Image(at, 1, {METER.id: state})

    senses = Senses().look(uneven(T0, 252.0, 228.0, 228.0), POLICY)
    sensed = senses.sensed
    assert (sensed.level_v, sensed.below_v, sensed.above_v) == (236.0, 8.0, 16.0)
    sensed = senses.look(uneven(T0 + 10, 236.0, 236.0, 236.0), POLICY).sensed
    assert (sensed.below_v, sensed.above_v) == pytest.approx((0.8, 1.6))
    senses = senses.look(uneven(T0 + 10, math.nan, 0.0), POLICY)
    assert senses.sensed.level_v is None
    sensed = senses.look(uneven(T0 + 11, 240.0, 232.0), POLICY).sensed
    assert (sensed.level_v, sensed.below_v, sensed.above_v) == (236.0, 4.0, 4.0)
