"""The staircase of prices at the connection point."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.planner.problem import Limits, Prices
from hems.cem.planner.worth.bands import bands

PRICE = st.floats(-0.5, 1.0)
LIMIT_W = st.one_of(st.just(math.inf), st.floats(0.0, 10_000.0))


@given(PRICE, PRICE, st.tuples(LIMIT_W, LIMIT_W), st.booleans(), st.sampled_from([0.0, 8.0]))
def test_the_next_kwh_never_costs_less_than_the_one_before(
    buy: float,
    sell: float,
    limits_w: tuple[float, float],
    curtailable: bool,
    peak_per_kw: float,
) -> None:
    prices = Prices((buy,), (sell,), peak_per_kw=peak_per_kw, peak_so_far_w=2000.0)
    limits = Limits(limits_w[:1], limits_w[1:])
    made = bands(prices, limits, 0.25, curtailable=curtailable)
    assert (np.diff(made.per_wh[0]) >= 0.0).all()
    assert (np.diff(made.upto_w[0]) >= 0.0).all()
    assert made.upto_w[0, -1] == math.inf
    assert made.per_wh[0, made.buying] == pytest.approx(buy / 1000.0)
    paid = max(sell, 0.0) if curtailable else sell
    assert made.per_wh[0, made.buying - 1] == pytest.approx(min(paid, buy) / 1000.0)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), LIMIT_W, LIMIT_W, st.floats(-2e4, 2e4))
def test_a_power_costs_the_sum_of_the_bands_it_goes_through(
    buy: float, part: float, import_w: float, export_w: float, grid_w: float
) -> None:
    prices = Prices((buy,), (buy * part,))
    made = bands(prices, Limits((import_w,), (export_w,)), 1.0, curtailable=True)
    found = (made.per_wh[0] * grid_w - made.line()[0]).max()
    bought, sold = max(grid_w, 0.0), max(-grid_w, 0.0)
    wanted = (
        bought * buy
        + max(0.0, bought - import_w) * made.breach_per_wh * 1000.0
        - min(sold, export_w) * buy * part
    ) / 1000.0
    assert found == pytest.approx(wanted, abs=1e-9)


def test_the_grids_carbon_is_part_of_what_buying_costs() -> None:
    prices = Prices((0.2,), (0.1,), carbon_kg_per_kwh=(0.5,), carbon_price_per_kg=0.1)
    made = bands(prices, Limits((math.inf,), (math.inf,)), 1.0, curtailable=True)
    assert made.per_wh[0].tolist() == pytest.approx([0.0001, 0.00025])


def test_beyond_a_peak_that_is_paid_already_each_kw_costs_its_charge() -> None:
    prices = Prices((0.2,), (0.0,), peak_per_kw=6.0, peak_so_far_w=3000.0)
    limits = Limits((9000.0,), (math.inf,))
    made = bands(prices, limits, 0.25, curtailable=True)
    assert made.upto_w[0].tolist() == [0.0, 3000.0, 9000.0, math.inf]
    assert made.per_wh[0, 2] == pytest.approx((0.2 + 6.0 / 0.25) / 1000.0)
    planned = bands(prices, limits, 0.25, curtailable=True, peak_w=4000.0)
    assert planned.upto_w[0, 1] == 4000.0
