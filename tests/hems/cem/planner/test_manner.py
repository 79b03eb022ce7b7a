"""From prices and what is to come to a battery's manner: a table."""

import math

import numpy as np
import pytest

from hems.cem.forecast.past import Paths
from hems.cem.planner.problem import Battery, Limits, Prices
from hems.cem.planner.worth.bands import bands
from hems.cem.planner.worth.manner import manner
from hems.cem.planner.worth.storage import stored_value
from hems.cem.slots import Slots
from programs.economy import Use

HALF_FULL = 2000.0
EMPTY = 0.0
FULL = 4000.0


@pytest.mark.requirement("ROLE-CEM", "BUC-6")
@pytest.mark.parametrize(
    ("prices", "net_w", "energy_wh", "use", "power_w"),
    [
        # Dear now, cheap later: the house has it.
        (Prices((0.5, 0.2), (0.0, 0.0)), (1500, 3000), HALF_FULL, Use.EVEN_OUT, -1500),
        # Cheap now, dear later: kept for then, and bought as much as will be needed.
        (Prices((0.2, 0.5), (0.0, 0.0)), (500, 1800), HALF_FULL, Use.KEEP, 0),
        (Prices((0.2, 0.5), (0.0, 0.0)), (500, 2700), HALF_FULL, Use.CHARGE, 1000 / 0.9),
        # The difference does not pay for the losses: nothing is bought, what is there is kept.
        (Prices((0.42, 0.5), (0.0, 0.0)), (500, 2700), HALF_FULL, Use.KEEP, 0),
        # The sun will fill it anyway: what is there is given although it is cheap now.
        (Prices((0.2, 0.5), (0.0, 0.0)), (500, -9000), HALF_FULL, Use.EVEN_OUT, -500),
        # All prices alike: the house comes before the battery.
        (Prices((0.3, 0.3), (0.0, 0.0)), (500, 500), HALF_FULL, Use.EVEN_OUT, -500),
        # Sun left over now, nothing paid for it.
        (Prices((0.3, 0.3), (0.0, 0.0)), (-1000, 500), EMPTY, Use.EVEN_OUT, 1000),
        # Sun left over now is paid well, and more will come: it is sold.
        (Prices((0.3, 0.3), (0.2, 0.05)), (-1000, -9000), EMPTY, Use.GIVE, 0),
        # Selling now pays more than anything later, and than what is bought back then.
        (Prices((0.6, 0.1), (0.5, 0.0)), (500, 500), FULL, Use.SELL, -3600),
        # Selling dearer later: nothing is given to the house at the low price now.
        (Prices((0.1, 0.6), (0.0, 0.5)), (500, 0), FULL, Use.KEEP, 0),
        # Being paid to take it.
        (Prices((-0.1, 0.3), (-0.1, 0.0)), (500, 0), EMPTY, Use.CHARGE, 4000 / 0.9),
        # Worth less later than selling the sun's now, and more than buying for the house now.
        (Prices((0.2, 0.21), (0.2, 0.21)), (500, 0), HALF_FULL, Use.REST, 0),
        # Empty, and nothing to buy for: it would give if it had any.
        (Prices((0.5, 0.2), (0.0, 0.0)), (1500, 3000), EMPTY, Use.EVEN_OUT, 0),
    ],
)
def test_manner_by_prices_and_what_is_to_come(
    prices: Prices,
    net_w: tuple[float, float],
    energy_wh: float,
    use: Use,
    power_w: float,
) -> None:
    battery = Battery("b", energy_wh, 0.0, 4000.0, 5000.0, 5000.0, 0.9, 0.9)
    free = Limits((math.inf,) * 2, (math.inf,) * 2)
    net = np.array([net_w], dtype=np.float64)
    slots = Slots(0.0, 3600.0, 2)
    value = stored_value(
        slots,
        battery,
        bands(prices, free, slots.hours, curtailable=True),
        Paths(np.ones(1), np.maximum(net, 0.0), np.minimum(net, 0.0)),
        end_per_kwh=0.0,
        levels=41,
    )
    way = manner(value, 0, energy_wh, float(net_w[0]))
    assert way.use is use
    assert way.power_w == pytest.approx(power_w, abs=120.0)


def test_not_knowing_what_comes_it_buys_for_the_worse_course() -> None:
    """A kWh short costs 0.3 more, one too many loses 0.04: a peak of one in five is bought for."""
    slots = Slots(0.0, 3600.0, 3)
    free = Limits((math.inf,) * 3, (math.inf,) * 3)
    load = np.array([[0.0, 500.0, 500.0]] * 4 + [[0.0, 3600.0, 500.0]])
    certain = Paths(np.full(5, 0.2), load, 0.0 * load, np.full((2, 5, 5), 0.2))
    battery = Battery("b", 0.0, 0.0, 4000.0, 5000.0, 5000.0, 0.9, 0.9)

    def bought_to(dear: float) -> float:
        staircase = bands(Prices((0.2, dear, 0.2), (0.0,) * 3), free, 1.0, curtailable=True)
        value = stored_value(slots, battery, staircase, certain, levels=41, end_per_kwh=0.15)
        return manner(value, 0, 0.0, 0.0).energy_wh

    assert bought_to(1.0) == pytest.approx(4000.0, abs=101.0)
    assert bought_to(0.3) == pytest.approx(500.0 / 0.9, abs=101.0)
    assert bought_to(0.2) == pytest.approx(0.0, abs=1.0)


def test_what_a_peak_alone_asks_for_is_driven_and_the_rest_is_kept() -> None:
    slots = Slots(0.0, 3600.0, 2)
    prices = Prices((0.2, 0.5), (0.0, 0.0), peak_per_kw=10.0, peak_so_far_w=3000.0)
    free = Limits((math.inf,) * 2, (math.inf,) * 2)
    battery = Battery("b", 3000.0, 0.0, 4000.0, 5000.0, 5000.0, 0.9, 0.9)

    def first(net_w: float) -> tuple[Use, float]:
        net = np.array([[net_w, 3600.0]])
        staircase = bands(prices, free, 1.0, curtailable=True)
        value = stored_value(
            slots, battery, staircase, Paths(np.ones(1), net, 0.0 * net), end_per_kwh=0.0, levels=41
        )
        way = manner(value, 0, 3000.0, net_w)
        return way.use, way.power_w

    use, power_w = first(4000.0)
    assert use is Use.SELL
    assert power_w == pytest.approx(-1000.0)
    use, power_w = first(3000.0)
    assert use is Use.KEEP
    assert power_w == pytest.approx(0.0)
    use, power_w = first(2500.0)
    assert use is Use.CHARGE
    assert power_w == pytest.approx(500.0)
