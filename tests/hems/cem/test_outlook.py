"""What is foreseen: steady courses, appliances that come again, cars that may begin at any time."""

from dataclasses import replace

import pytest

from der.model import Control, Quality, Reading
from hems.cem.memory import Memory, Sample
from hems.cem.observe import Observed
from hems.cem.outlook import look, steps
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from tests.hems.cem.plant import (
    BATTERY,
    BREAKER,
    CAR,
    METER,
    PV,
    T0,
    Loop,
    Plant,
    limit,
)

POLICY = AllocatorPolicy()


@pytest.mark.requirement("BUC-1")
def test_a_cloud_that_comes_is_met_as_far_as_it_will_have_come() -> None:
    loop = Loop(Plant((METER, PV, BATTERY), base_w=3_000, sun_w=4_000))
    event = limit(1_500, ends_at=T0 + 1e6)
    loop.run(30, BREAKER, event)
    trace = []
    for _ in range(25):
        loop.decide(BREAKER, event)
        loop.plant.sun_w -= 150.0  # after it was decided upon
        loop.plant.step()
        trace.append(loop.plant.net_w)
    crossing = next(n for n, w in enumerate(trace) if w > 1_000)
    assert crossing > 5
    assert max(trace) <= 1_500


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("powers", "fall_w", "late_w"),
    [
        ([1_000.0] * 10, 0.0, 0.0),
        ([1_000.0] * 10 + [850.0, 700.0, 550.0], 300.0, 0.0),
        ([1_000.0] * 10 + [1_150.0, 1_300.0, 1_450.0], 0.0, 450.0),
        ([1_000.0] * 10 + [3_000.0], 0.0, 0.0),  # an appliance is no course
        ([1_000.0, 1_150.0] * 6, 0.0, 0.0),
    ],
)
def test_what_moves_steadily_one_way_is_reckoned_with_as_it_will_be(
    powers: list[float], fall_w: float, late_w: float
) -> None:
    past = tuple(Sample(T0 + n, w, 0.0) for n, w in enumerate(powers))
    seen = Observed((), powers[-1], known=True, memory=Memory(past=past))
    outlook = look(seen, replace(POLICY, guard_share=0.0))
    assert (outlook.fall_w, outlook.home.late_w) == pytest.approx((fall_w, late_w))


@pytest.mark.parametrize(
    ("base", "kept", "expected"),
    [
        ((500.0, 2_500.0), (), ((T0 + 1, 2_000.0),)),
        ((500.0, 700.0), (), ()),
        ((2_500.0, 500.0), (), ()),
        ((500.0, 500.0), ((T0 - 1_700, 900.0),), ((T0 - 1_700, 900.0),)),
        ((500.0, 500.0), ((T0 - 1_900, 900.0),), ()),
    ],
)
def test_the_steps_of_the_last_half_hour_are_remembered(
    base: tuple[float, float],
    kept: tuple[tuple[float, float], ...],
    expected: tuple[tuple[float, float], ...],
) -> None:
    first, last = (Sample(T0 + n, w, 0.0) for n, w in enumerate(base))
    before = Memory(past=(first,), steps=kept)
    assert steps(before, (first, last), POLICY) == expected
    again = Memory(past=(first, last), steps=expected)
    assert steps(again, (first, last), POLICY) == expected  # the same reading counts once


@pytest.mark.parametrize("cycle_s", [0.5, 1.0, 5.0, 5.01, 10.0])
@pytest.mark.parametrize("missing", [False, True])
def test_a_step_is_one_at_every_cycle_but_not_where_readings_are_missing(
    cycle_s: float, *, missing: bool
) -> None:
    long_s = max(2 * cycle_s, 6.0) if missing else cycle_s
    quiet = tuple(Sample(T0 + n * cycle_s, 500.0, 0.0) for n in range(6))
    last = Sample(quiet[-1].at + long_s, 2_500.0, 0.0)
    found = steps(Memory(past=quiet), (*quiet, last), POLICY)
    assert found == (() if missing else ((last.at, 2_000.0),))


@pytest.mark.requirement("BUC-1")
def test_after_a_kettle_the_batteries_keep_as_much_help_back_from_the_car() -> None:
    loop = Loop(Plant((METER, BATTERY, CAR), base_w=500, wants={"car": 7_400.0}))
    event = limit(1_500, ends_at=T0 + 1e6)
    loop.run(60, BREAKER, event)
    assert loop.plant.power["battery"] < -4_600
    loop.plant.base_w += 2_000
    loop.run(60, BREAKER, event)
    loop.plant.base_w -= 2_000
    loop.run(120, BREAKER, event)
    assert loop.plant.power["battery"] > -3_100
    loop.plant.base_w += 2_000
    car_w = loop.plant.power["car"]
    loop.run(1, BREAKER, event)
    assert loop.plant.net_w <= 1_500
    assert loop.plant.power["car"] == car_w


@pytest.mark.requirement("BUC-1")
def test_a_car_that_is_plugged_in_finds_no_more_than_fits_without_the_battery() -> None:
    plant = Plant((METER, BATTERY, CAR), base_w=500, ramps={"car": 2_000.0})
    loop = Loop(plant)
    event = limit(3_500, ends_at=T0 + 1e6)
    loop.run(30, BREAKER, event)
    assert plant.told["car"] is not None
    assert plant.told["car"].power_w <= 3_000
    plant.wants["car"] = 7_400.0
    trace = loop.run(60, BREAKER, event)
    assert max(trace) <= 3_500
    assert plant.power["car"] > 5_000  # then the battery helps


@pytest.mark.requirement("BUC-1")
def test_a_charger_that_is_read_late_is_not_taken_for_the_house() -> None:
    """The meter shows that the charger obeyed a second before the charger says so."""
    plant = Plant((METER, BATTERY, CAR), base_w=500, wants={"car": 7_400.0}, soc=0.5)
    loop = Loop(plant)
    shown: list[Reading] = []
    original = plant.image

    def late() -> Image:
        image = original()
        state = image.devices["car"]
        assert state.reading is not None
        shown.append(state.reading)
        old = shown[max(len(shown) - 2, 0)]
        return replace(image, devices={**image.devices, "car": replace(state, reading=old)})

    plant.image = late  # type: ignore[method-assign]
    event = limit(6_000, ends_at=T0 + 1e6)
    loop.run(30, BREAKER)
    bases = []
    for _ in range(20):
        made = loop.decide(BREAKER, event)
        bases.append(made.base_w)
        plant.step()
    assert bases == [500.0] * 20
    assert all(
        s.spec.control is Control.NONE or s.quality is Quality.GOOD for s in late().devices.values()
    )
