"""After an event the home comes back in turn, and makes no peak that it did not have before."""

import random
from itertools import pairwise

import pytest

from tests.hems.cem.plant import ALL, BREAKER, SELF_USE, T0, Loop, Plant, limit

BEFORE_S, EVENT_S, AFTER_S = 600, 3_600, 1_800


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.deep) for n in (1, 2))])
@pytest.mark.parametrize("soc", [0.05, 0.8])
def test_the_half_hour_after_an_event_has_no_higher_peak_than_before(soc: float, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a load, not a secret
    wants = {"car": 7_400.0, "heater": 2_000.0, "pump": 2_400.0}
    plant = Plant(ALL, 600.0, 0.0, soc, 1e5, wants, ramp_w_s=3_000.0)
    loop = Loop(plant)
    event = limit(1_500, ends_at=T0 + BEFORE_S + EVENT_S)

    def run(seconds: int) -> list[float]:
        trace: list[float] = []
        for _ in range(seconds):
            plant.base_w = 600.0 * max(0.1, rng.gauss(1.0, 0.08))
            asked = [event] if T0 + BEFORE_S <= plant.at < event.expires_at else []
            trace += loop.run(1, BREAKER, SELF_USE, *asked)
        return trace

    usual_w = max(run(BEFORE_S)[60:])
    during = run(EVENT_S)
    assert max(during[10:]) <= 1_500 + 150
    after = run(AFTER_S)
    assert max(after) <= 1.05 * usual_w
    steps = [n for n, (was, now) in enumerate(pairwise(after)) if now - was > 1_500]
    assert all(b - a >= 10 for a, b in pairwise(steps) if b - a > 3)  # one device after the other
    assert loop.plant.power["heater"] == 2_000
    assert loop.plant.power["pump"] == 2_400
