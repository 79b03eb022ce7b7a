"""Economic demand response: when it runs, whom it asks, and what it takes for a mistake."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import DeviceState, Quality, Reading
from programs import economic
from programs.economic import EconomicPolicy, Hysteresis, Run, fault, follow
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Rank
from tests.examples import examples
from tests.hems.cem.plant import ALL

NOW = 1_800_000_000.0
RULE = Hysteresis(band=0.1, least_s=900, pause_s=600, most_per_kwh=10)
DEVICES = {spec.id: DeviceState(spec, Reading(NOW, 0.0), Quality.GOOD) for spec in ALL}


def asked(policy: EconomicPolicy, *cold: str) -> dict[str, Rank]:
    inputs = Inputs((), DEVICES, 1_000.0, NOW, frozenset(cold))
    found = economic.propose(inputs, policy)
    for each in found:
        if each.target == HOME:
            assert (each.bounds, each.preferred_w) == (Bounds(), 0.0)
        else:
            assert each.bounds == Bounds(upper_w=0.0)
    return {p.target: p.rank for p in found}


@pytest.mark.requirement("BUC-6")
def test_whom_it_asks() -> None:
    assert asked(EconomicPolicy()) == {}
    everything = {HOME, "battery", "car", "heater", "pump"}
    assert asked(EconomicPolicy(NOW)) == dict.fromkeys(everything, Rank.ECONOMY)
    obliged = EconomicPolicy(NOW, obliged=True, exempt=frozenset({"car"}))
    assert asked(obliged, "pump") == dict.fromkeys({HOME, "battery", "heater"}, Rank.ACCEPTED)


@pytest.mark.requirement("BUC-6")
@pytest.mark.parametrize(
    ("price", "threshold", "words"),
    [
        (0.2, 0.1, ""),
        (-0.2, 0.1, ""),  # a negative price is one, and calls for nothing
        (None, 0.1, "wholesale price is not known"),
        (0.2, None, "no net-benefits price"),
        (math.nan, 0.1, "nan"),
        (math.inf, 0.1, "inf"),
        (11.0, 0.1, "cannot be"),
        (0.2, math.nan, "cannot be"),
        (0.2, 0.0, "cannot be"),
        (0.2, -1.0, "cannot be"),
        (0.2, 11.0, "cannot be"),
    ],
)
def test_what_is_not_acted_on(price: float | None, threshold: float | None, words: str) -> None:
    assert words in fault(price, threshold, RULE)
    assert bool(fault(price, threshold, RULE)) is bool(words)
    started = follow(Run(), price, threshold, NOW, RULE)
    assert (started.since is not None) is (words == "" and price == 0.2)
    if words:
        running = Run(NOW - 10, threshold=0.1)
        assert follow(running, price, threshold, NOW, RULE) == Run(ended=NOW)


@pytest.mark.requirement("BUC-6")
def test_it_begins_above_the_threshold_and_ends_well_below_after_its_least_time() -> None:
    assert follow(Run(), 0.1, 0.1, NOW, RULE).since is None  # at it is not above
    run = follow(Run(), 0.11, 0.1, NOW, RULE)
    assert run == Run(NOW, -math.inf, 0.1)
    assert follow(run, 0.05, 0.1, NOW + 899, RULE) is run
    assert follow(run, 0.095, 0.1, NOW + 5_000, RULE) is run  # within the band
    over = follow(run, 0.05, 0.1, NOW + 900, RULE)
    assert over == Run(ended=NOW + 900)
    assert follow(over, 0.5, 0.1, NOW + 1_499, RULE) is over
    assert follow(over, 0.5, 0.1, NOW + 1_500, RULE).since == NOW + 1_500


@pytest.mark.requirement("BUC-6")
@given(prices=st.lists(st.floats(-1, 1), max_size=300))
@settings(max_examples=examples(100), deadline=None)
def test_prices_about_the_threshold_do_not_make_it_flap(prices: list[float]) -> None:
    run, turns = Run(), []
    for minute, price in enumerate(prices):
        before, run = run, follow(run, price, 0.1, NOW + 60 * minute, RULE)
        if before.since != run.since:
            turns.append((60 * minute, run.since is not None))
            assert price > 0.1 if run.since is not None else price <= 0.1
    for (was, began), (at, _) in pairwise(turns):
        assert at - was >= (RULE.least_s if began else RULE.pause_s)
