"""Figures that stand still to the last digit while all else says that they must have moved."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.cem.frozen import Frozen
from hems.cem.memory import Memory
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from tests.examples import examples
from tests.hems.cem.plant import BATTERY, CAR, HEATER, METER, PV, T0

POLICY = AllocatorPolicy()


@dataclass
class Course:
    """Images one after another, a second apart, as they come out judged."""

    memory: Memory = field(default_factory=Memory)
    frozen: Frozen = field(default_factory=Frozen)
    at: float = T0
    told_every_s: float = 1.0

    def see(self, seconds: int, **powers: float) -> Image:
        specs = {s.id: s for s in (METER, PV, BATTERY, CAR, HEATER)}
        for _ in range(seconds):
            self.at += 1
            states = {
                name: DeviceState(
                    specs[name],
                    Reading(
                        self.at - (self.at % self.told_every_s if name == "meter" else 0), power_w
                    ),
                    Quality.GOOD,
                )
                for name, power_w in powers.items()
            }
            image = Image(self.at, 1, states)
            self.frozen = self.frozen.look(image, self.memory, POLICY)
            judged = self.frozen.without(image, POLICY)
        return judged


@pytest.mark.requirement("ROLE-SM")
def test_a_meter_that_stands_still_while_a_heater_starts_is_not_believed() -> None:
    course = Course()
    course.see(60, meter=500.0, heater=0.0)
    assert course.see(10, meter=500.0, heater=2_000.0).net_w == 500
    judged = course.see(1, meter=500.0, heater=2_000.0)
    assert judged.net_w is None
    assert judged.devices["meter"].quality is Quality.STALE
    assert judged.devices["meter"].error == (
        "meter: power reads 500 W to the last digit while other devices moved for 10 s, so it is "
        "not believed"
    )
    # Nor is it when the heater stops again: the figure is no younger for that.
    assert course.see(1, meter=500.0, heater=0.0).net_w is None
    assert course.see(1, meter=501.0, heater=0.0).net_w == 501


@pytest.mark.parametrize(
    ("powers", "why"),
    [
        ({"meter": 500.0, "heater": 400.0}, "too little moved"),
        ({"meter": 501.0, "heater": 2_000.0}, "the meter moved once"),
        ({"meter": 500.0, "battery": -2_000.0, "heater": 2_000.0}, "together nothing moved"),
    ],
)
def test_a_meter_is_believed_where(powers: dict[str, float], why: str) -> None:
    course = Course()
    course.see(60, **{name: 500.0 if name == "meter" else 0.0 for name in powers})
    assert course.see(60, **powers).net_w == powers["meter"], why


@pytest.mark.requirement("ROLE-DEM")
@pytest.mark.parametrize(
    ("spec", "power_w", "told_w", "believed"),
    [
        (BATTERY, -2_000.0, 0.0, False),
        (BATTERY, 2_000.0, -1_000.0, False),
        (BATTERY, -2_000.0, -2_100.0, True),
        (BATTERY, 0.0, -2_000.0, True),  # it stands still; what it can do is another matter
        (CAR, 4_000.0, 1_380.0, False),
        (CAR, 1_000.0, 1_380.0, True),
        (HEATER, 1_500.0, 0.0, False),
        (HEATER, 1_500.0, 2_000.0, True),
        (PV, -3_000.0, -1_000.0, False),
        (PV, -500.0, -1_000.0, True),
    ],
)
def test_a_device_that_stands_still_elsewhere_than_it_was_told(
    spec: DeviceSpec, power_w: float, told_w: float, *, believed: bool
) -> None:
    course = Course(Memory().confirmed(spec.id, Setpoint(told_w, 900), T0))
    course.see(30, **{spec.id: power_w})
    state = course.see(1, **{spec.id: power_w}).devices[spec.id]
    assert (state.quality is Quality.GOOD) is believed
    if not believed:
        assert state.error is not None
        assert state.error.startswith(f"{spec.id}: power reads {power_w:g} W to the last digit")
        moved = course.see(1, **{spec.id: power_w + 1}).devices[spec.id]
        assert moved.quality is Quality.GOOD


def test_nobody_is_suspected_because_the_clock_was_set() -> None:
    course = Course()
    course.see(3, meter=500.0, heater=0.0)
    course.see(3, meter=500.0, heater=2_000.0)
    course.at += 3_600
    course.frozen = course.frozen.shifted(3_600)
    assert course.see(1, meter=500.0, heater=2_000.0).net_w == 500


@pytest.mark.requirement("ROLE-SM")
@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 20)), min_size=1, max_size=20))
def test_a_meter_whose_every_figure_is_new_is_always_believed(
    steps: list[tuple[int, int]],
) -> None:
    course, count = Course(), 0
    for heater_w, seconds in steps:
        for _ in range(seconds):
            count += 1
            judged = course.see(1, meter=500.0 + count, heater=float(heater_w))
            assert judged.net_w is not None


def test_a_meter_that_speaks_seldom_is_believed_and_not_for_ever() -> None:
    course = Course(told_every_s=30.0)
    course.see(60, meter=500.0, heater=0.0)
    # It has not spoken since the heater started, so it contradicts nothing.
    assert course.see(29, meter=500.0, heater=2_000.0).net_w == 500
    # It has, and says the same: then it counts as every other.
    assert course.see(12, meter=500.0, heater=2_000.0).net_w is None
    assert course.see(30, meter=2_510.0, heater=2_000.0).net_w == 2_510


def test_a_meter_that_is_lost_anyway_is_left_as_it_is() -> None:
    state = DeviceState(METER, Reading(T0, 1.0), Quality.LOST, "meter: gone")
    image = Image(T0, 1, {"meter": state})
    frozen = Frozen().look(image, Memory(), POLICY)
    assert frozen.without(image, POLICY).devices["meter"] == replace(state)
