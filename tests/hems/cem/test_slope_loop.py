"""The slope of net power in a closed loop: ripple, ovens, clouds, batteries full and empty."""

import pytest

from der.model import DeviceSpec
from programs.proposal import Rank
from tests.hems.cem.plant import (
    BATTERY,
    CAR,
    HEATER,
    METER,
    PV,
    SELF_USE,
    T0,
    Loop,
    Plant,
    limit,
)
from tests.hems.cem.smooth import Course, Smooth, clouds, noisy, still, with_oven

HOUSE = (METER, PV, BATTERY)


def home(
    w_min: float | None,
    base: Course,
    sun: Course = still(0.0),  # noqa: B008 - it has no state
    specs: tuple[DeviceSpec, ...] = HOUSE,
    soc: float = 0.5,
) -> Smooth:
    return Smooth(w_min, base, sun, Plant(specs, base(0), sun(0), soc))


@pytest.mark.requirement("BUC-2")
@pytest.mark.parametrize(
    ("w_min", "base", "sun", "soc"),
    [
        (100, noisy(1_000, 0.08, 1), still(0), 0.5),
        (500, with_oven(noisy(500, 0.08, 2)), still(0), 0.5),
        (500, with_oven(noisy(500, 0.08, 2)), still(0), 0.12),  # it fills while the oven rests
        (250, noisy(500, 0.05, 3), clouds(), 0.5),
        (250, noisy(500, 0.05, 3), clouds(edge_s=3), 0.5),
        (250, noisy(500, 0.05, 3), clouds(), 1.0),  # full: the sun is held back
        (1_000, with_oven(noisy(500, 0.05, 4)), clouds(), 0.5),
    ],
)
def test_the_bound_holds_at_every_second(
    w_min: float, base: Course, sun: Course, soc: float
) -> None:
    free = home(None, base, sun, soc=soc)
    free.run(900)
    bounded = home(w_min, base, sun, soc=soc)
    bounded.run(900)
    assert max(bounded.slopes()) <= w_min
    if w_min > 100:
        assert sum(slope > w_min for slope in free.slopes()) > 0.4 * len(free.slopes())


@pytest.mark.requirement("BUC-2")
def test_an_oven_costs_what_is_seen_too_late_and_no_more() -> None:
    bounded = home(100, with_oven(still(500), on_s=60, every_s=400))
    bounded.run(900)
    over = [slope for slope in bounded.slopes() if slope > 100]
    assert 0 < max(over) <= 2_000 / 10 + 200  # each kW for one second: about 100 W/min
    assert len(over) <= 5 * 60  # and only for the minute that holds that second


@pytest.mark.requirement("BUC-2")
@pytest.mark.parametrize("w_min", [100, 500, 2_000])
def test_storage_lets_go_again_as_fast_as_the_bound_allows(w_min: float) -> None:
    bounded = home(w_min, lambda second: 500.0 if second < 60 else 1_500.0)
    bounded.run(61)
    assert bounded.plant.power["battery"] < -900
    bounded.run(round(1_000 / (0.8 * w_min) * 60 * 1.3) + 30)
    assert bounded.plant.power["battery"] == pytest.approx(0.0, abs=25)
    assert bounded.plant.net_w == pytest.approx(1_500, abs=25)


@pytest.mark.requirement("BUC-2")
@pytest.mark.parametrize("w_min", [100, 500])
def test_the_sun_is_let_go_again_as_fast_as_the_bound_allows(w_min: float) -> None:
    bounded = home(w_min, still(500), lambda second: 0.0 if second < 60 else 1_000.0, soc=1.0)
    bounded.run(70)
    assert bounded.plant.power["pv"] > -300
    bounded.run(round(1_000 / (0.8 * w_min) * 60 * 1.3) + 60)
    assert bounded.plant.power["pv"] == pytest.approx(-1_000, abs=25)
    assert max(bounded.slopes()) <= w_min


@pytest.mark.requirement("BUC-2")
def test_without_storage_a_rise_is_not_hidden_by_switching_loads_off() -> None:
    wants = {"heater": 2_000.0}
    plant = Plant((METER, HEATER), 500.0, wants=wants)
    bounded = Smooth(200, lambda second: 500.0 if second < 100 else 2_500.0, still(0), plant)
    bounded.run(300)
    assert plant.power["heater"] == 2_000.0
    assert max(bounded.slopes()) > 200


@pytest.mark.requirement("BUC-2")
def test_a_car_is_turned_down_for_a_cloud_but_not_off() -> None:
    def sun(second: int) -> float:
        return 3_000.0 if second < 120 else max(3_000.0 - 100.0 * (second - 120), 500.0)

    plant = Plant((METER, PV, CAR), 500.0, 3_000.0, wants={"car": 7_400.0}, ramps={"car": 2_000.0})
    bounded = Smooth(600, still(500), sun, plant)
    bounded.run(200)
    assert CAR.least_on_w <= plant.power["car"] < 6_000
    assert max(bounded.slopes(since_s=100)) <= 600
    bounded.run(900)
    assert plant.power["car"] > 7_000  # and comes back, by no more than the bound
    assert max(bounded.slopes(since_s=100)) <= 600


@pytest.mark.requirement("BUC-2")
@pytest.mark.parametrize("soc", [0.5, 0.12])
def test_the_home_returns_from_an_event_with_the_slope(soc: float) -> None:
    wants = {"car": 7_400.0, "heater": 2_000.0}
    plant = Plant((METER, BATTERY, CAR, HEATER), 500.0, 0.0, soc, 1e5, wants)
    bounded = Smooth(1_500, noisy(500, 0.05, 5), still(0), plant)
    bounded.run(120, SELF_USE)
    event = limit(1_500, rank=Rank.BINDING, ends_at=T0 + 420)
    bounded.run(300, SELF_USE, event)
    assert max(w for _, w in bounded.trace[-200:]) <= 1_600
    over = len(bounded.trace)
    bounded.run(1_500)
    assert plant.power["car"] > 7_000
    assert plant.power["heater"] == 2_000
    inside = [slope <= 1_500 for slope in bounded.slopes(since_s=over + 60)]
    assert sum(inside) >= (0.99 if soc > 0.2 else 0.85) * len(inside)


@pytest.mark.requirement("BUC-2")
def test_a_limit_of_the_utility_is_stronger_than_the_course() -> None:
    plant = Plant(HOUSE, 4_000.0, 0.0, 0.8)
    bounded = Smooth(100, still(4_000), still(0), plant)
    bounded.run(30)
    bounded.run(5, limit(1_500, rank=Rank.ACCEPTED, ends_at=T0 + 600))
    assert plant.net_w <= 1_500


@pytest.mark.requirement("BUC-2")
def test_without_a_course_nothing_is_different() -> None:
    one, other = (Loop(Plant(HOUSE, 800.0, 2_000.0, 0.5)) for _ in range(2))
    assert one.run(30, SELF_USE) == other.run(30, SELF_USE, limit(target="nobody"))
