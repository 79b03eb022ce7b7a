"""The slope as a person sees it: beside its bound, and said where nothing can even out more."""

import pytest

from der.model import DeviceState, Quality, Reading
from hems.image import Image
from hems.market.smoothness import Smoothness
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, METER
from tests.hems.market.test_counter import T0, Hands


class Bench:
    """A home whose net power a test sets, second by second."""

    def __init__(self, own_w_min: float | None, *signals: Signal) -> None:
        self.clock = Hands(T0)
        self.alarms: list[str | None] = []
        self.smoothness = Smoothness(own_w_min, lambda: signals, self.clock, self.alarms.append)

    def run(self, *powers: float) -> None:
        for net_w in powers:
            self.clock.at += 1.0
            at = self.clock.at
            meter = DeviceState(METER, Reading(at, net_w), Quality.GOOD)
            battery = DeviceState(BATTERY, Reading(at, -1_000.0, soc=0.0), Quality.GOOD)
            image = Image(at, int(at), {"meter": meter, "battery": battery})
            self.smoothness.take_image(image)


@pytest.mark.requirement("BUC-2")
def test_what_is_measured_stands_beside_its_bound() -> None:
    event = Signal("E", "Smooth", SignalKind.SLOPE, 300.0, T0, T0 + 500, True)
    bench = Bench(600.0, event)
    bench.run(*(500.0 + 2.0 * n for n in range(90)))  # 120 W a minute
    (standing,) = bench.smoothness.standings
    assert standing.words == (
        "Net power may change by 300 W a minute; over the last minute it did by 120 W."
    )
    assert (standing.down_w, standing.up_w) == (0.0, 6_000.0)  # an empty battery only takes
    assert bench.alarms == []
    bench.run(*([700.0] * 500))
    assert "600 W a minute" in bench.smoothness.standings[0].words  # the event is over
    assert Bench(None).smoothness.standings == ()


@pytest.mark.requirement("BUC-2")
def test_a_bound_that_nothing_can_keep_is_said_once_and_taken_back() -> None:
    bench = Bench(500.0)
    bench.run(*([500.0] * 60), *([3_500.0] * 60))
    (said,) = bench.alarms
    assert said is not None
    assert said.startswith("Net power rises by")
    assert "more than the 500 W agreed" in said
    bench.run(*([3_500.0] * 90))
    assert bench.alarms[1:] == [None]
    bench.run(*([3_500.0, 2_000.0] + [3_500.0] * 60))  # one second is seen too late by anybody
    assert len(bench.alarms) == 2
