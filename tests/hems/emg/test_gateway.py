"""Baselines and delivered energy: what 2030.5 leaves to the home."""

from dataclasses import dataclass, field

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.emg.gateway import Gateway
from hems.image import Image
from hems.sep2.events import Active, Program, Schedule
from programs.signal import SignalKind

EVENT = "E" * 32
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)


def image(at: float, net_w: float, quality: Quality = Quality.GOOD) -> Image:
    state = DeviceState(METER, Reading(at, net_w), quality)
    return Image(at, int(at), {"meter": state})


def schedule(mode: str, value: float, baseline_w: float | None = None) -> Schedule:
    program = Program("P" * 32, "Energy Support", 20)
    entry = Active(mode, value, EVENT, program, 100.0, 700.0, False, baseline_w=baseline_w)
    return Schedule(100.0, {mode: entry})


@dataclass
class Bench:
    """A gateway with its surroundings written down."""

    net_w: float | None = 5000.0
    told: int = 0
    baselines: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gateway = Gateway(
            9000.0,
            net_w=lambda: self.net_w,
            on_signals=self.tell,
            on_baseline=lambda event, power_w: self.baselines.append((event, power_w)),
        )

    def tell(self) -> None:
        self.told += 1


@pytest.mark.requirement("BUC-7")
def test_the_baseline_is_the_net_power_when_the_event_began_and_is_told_once() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    bench.net_w = 1000.0
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.gateway.signals[0].baseline_w == 5000.0
    assert bench.baselines == [(EVENT, 5000.0)]
    assert bench.told == 2


@pytest.mark.requirement("BUC-7")
def test_the_ledgers_baseline_counts_more_than_the_present() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0, baseline_w=6000.0))
    assert bench.gateway.signals[0].baseline_w == 6000.0
    assert bench.baselines == []


def test_a_lost_meter_gives_a_baseline_as_soon_as_it_is_back() -> None:
    bench = Bench(net_w=None)
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.gateway.signals[0].baseline_w is None
    bench.net_w = 4000.0
    bench.gateway.take_image(image(101.0, 4000.0))
    assert bench.gateway.signals[0].baseline_w == 4000.0


@pytest.mark.requirement("BUC-5")
def test_energy_is_counted_against_the_baseline_between_images() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.Wh", 500.0))
    for second in range(101, 142):
        bench.gateway.take_image(image(float(second), 1400.0))
    (signal,) = bench.gateway.signals
    assert signal.kind is SignalKind.ENERGY
    assert signal.delivered_wh == pytest.approx((5000.0 - 1400.0) * 40 / 3600)


def test_what_was_not_measured_is_not_counted() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.Wh", 500.0))
    bench.gateway.take_image(image(101.0, 1400.0))
    bench.gateway.take_image(image(102.0, 1400.0, Quality.STALE))
    bench.gateway.take_image(image(150.0, 1400.0))
    assert bench.gateway.signals[0].delivered_wh == 0.0


@pytest.mark.requirement("BUC-5")
def test_a_restart_takes_up_what_was_delivered() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.Wh", 500.0, baseline_w=5000.0))
    bench.gateway.resume(EVENT, 300.0)
    assert bench.gateway.signals[0].delivered_wh == 300.0


def test_an_event_that_is_over_is_forgotten() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    bench.gateway.take_schedule(Schedule(700.0, {}))
    assert not bench.gateway.signals
    bench.net_w = 800.0
    bench.gateway.take_schedule(schedule("TargetReduction.W", 100.0))
    assert bench.gateway.signals[0].baseline_w == 800.0
