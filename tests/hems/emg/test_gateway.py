"""Baselines and delivered energy: what 2030.5 leaves to the home."""

from dataclasses import dataclass, field

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.emg.gateway import Gateway
from hems.emg.ratings import Ratings
from hems.image import Image
from hems.sep2.rules.events import Active, Program, Schedule
from hems.sep2.rules.merge import Lost
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
class Hands:
    """A clock set by hand."""

    utc: float = 100.0
    mono: float = 0.0

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self.mono


@dataclass
class Bench:
    """A gateway with its surroundings written down; it saw `net_w` before the event."""

    net_w: float | None = 5000.0
    told: int = 0
    clock: Hands = field(default_factory=Hands)
    baselines: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gateway = Gateway(
            Ratings(9000.0),
            self.clock,
            on_signals=self.tell,
            on_baseline=lambda event, power_w: self.baselines.append((event, power_w)),
        )
        if self.net_w is not None:
            self.gateway.take_image(image(85.0, self.net_w))

    def tell(self) -> None:
        self.told += 1

    def baseline_w(self) -> float | None:
        (signal,) = self.gateway.signals
        return signal.baseline_w


@pytest.mark.requirement("BUC-7")
def test_the_baseline_is_the_net_power_before_the_event_and_is_told_once() -> None:
    bench = Bench()
    assert not bench.gateway.known
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.gateway.known
    bench.gateway.take_image(image(100.5, 1000.0))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.baseline_w() == 5000.0
    assert bench.baselines == [(EVENT, 5000.0)]
    assert bench.told == 2


@pytest.mark.requirement("BUC-7")
def test_the_ledgers_baseline_counts_more_than_the_present() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0, baseline_w=6000.0))
    assert bench.baseline_w() == 6000.0
    assert bench.baselines == []


@pytest.mark.requirement("BUC-7")
def test_a_meter_lost_at_the_start_leaves_the_last_power_before_it() -> None:
    bench = Bench(net_w=None)
    bench.gateway.take_image(image(90.0, 11_400.0))
    bench.gateway.take_image(image(99.0, 11_400.0, Quality.LOST))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    bench.gateway.take_image(image(105.0, 1400.0))
    assert bench.baseline_w() == 11_400.0


@pytest.mark.requirement("BUC-7")
@pytest.mark.parametrize("last_good_at", [None, 39.0])
def test_what_the_event_has_lowered_is_never_its_baseline(last_good_at: float | None) -> None:
    bench = Bench(net_w=None)
    if last_good_at is not None:
        bench.gateway.take_image(image(last_good_at, 11_400.0))
    bench.gateway.take_image(image(99.0, 0.0, Quality.LOST))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    for second in range(101, 200):
        bench.gateway.take_image(image(float(second), 1400.0))
        bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.baseline_w() is None
    assert bench.baselines == []


def test_an_event_told_of_late_is_measured_against_the_power_until_then() -> None:
    bench = Bench(net_w=None)
    for second in range(50, 400):
        bench.gateway.take_image(image(float(second), 5000.0 + second))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.baseline_w() == 5399.0


def test_an_event_of_before_the_start_may_have_acted_already() -> None:
    bench = Bench(net_w=None)
    bench.gateway.take_image(image(105.0, 1400.0))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.baseline_w() is None


def test_an_event_of_the_second_of_the_start_has_not_acted() -> None:
    bench = Bench(net_w=None)
    bench.gateway.take_image(image(100.9, 1400.0))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.baseline_w() == 1400.0


def test_an_event_that_gave_way_and_is_back_keeps_its_baseline() -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    bench.gateway.take_schedule(Schedule(300.0, {}))
    bench.gateway.take_image(image(301.0, 1400.0))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 2000.0))
    assert bench.baseline_w() == 5000.0


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_set_clock_moves_what_is_in_force_along(step_s: float) -> None:
    bench = Bench()
    bench.gateway.take_schedule(schedule("TargetReduction.Wh", 500.0))
    bench.gateway.take_image(image(101.0, 1400.0))
    bench.clock.utc += step_s
    (signal,) = bench.gateway.signals
    assert (signal.starts_at, signal.ends_at) == (100.0 + step_s, 700.0 + step_s)
    bench.gateway.take_image(image(102.0 + step_s, 1400.0))
    assert bench.gateway.signals[0].delivered_wh == 0.0  # the second of the step is not counted
    bench.gateway.take_image(image(103.0 + step_s, 1400.0))
    assert bench.gateway.signals[0].delivered_wh == pytest.approx(1.0)
    assert bench.baselines == [(EVENT, 5000.0)]


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
    bench.gateway.take_image(image(99.9, 800.0))
    bench.gateway.take_schedule(schedule("TargetReduction.W", 100.0))
    assert bench.baseline_w() == 800.0


def limit(mode: str, value: float, primacy: int, event: str = EVENT) -> Schedule:
    entry = Active(mode, value, event, Program("P" * 32, "One", primacy), 100.0, 700.0, True)
    return Schedule(100.0, {mode: entry})


@dataclass
class Two:
    """A gateway between two utilities, with what it told."""

    lost: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gateway = Gateway(
            Ratings(9000.0, 5000.0),
            Hands(),
            on_signals=lambda: None,
            on_baseline=lambda _event, _power_w: None,
            sources=("grid", "market"),
            on_lost=lambda lost: self.lost.extend((each.server, each.event) for each in lost),
        )

    def values(self) -> list[float]:
        return [signal.value for signal in self.gateway.signals]


def test_what_is_asked_is_known_once_every_utility_has_said_so() -> None:
    two = Two()
    two.gateway.take_schedule(Schedule(100.0), "market")
    assert not two.gateway.known
    two.gateway.excuse("grid")
    assert two.gateway.known, "one that failed does not keep the home uncontrolled"


def test_of_two_utilities_limits_the_stricter_holds() -> None:
    two = Two()
    two.gateway.take_schedule(limit("opModImpLimW", 3000.0, primacy=1), "grid")
    two.gateway.take_schedule(limit("opModImpLimW", 2000.0, primacy=9), "market")
    assert two.values() == [2000.0]
    two.gateway.take_schedule(Schedule(200.0), "market")
    assert two.values() == [3000.0], "what the other asks no more holds no longer"
    assert not two.lost


def test_of_two_set_points_the_stronger_holds_and_the_other_is_told() -> None:
    two = Two()
    two.gateway.take_schedule(limit("opModTargetW", 1000.0, 9, "A" * 32), "grid")
    two.gateway.take_schedule(limit("opModTargetW", 2000.0, 1, "B" * 32), "market")
    assert two.values() == [-2000.0]
    assert two.lost == [("grid", "A" * 32)]


def test_set_points_of_different_modes_are_one_contest_too() -> None:
    two = Two()
    two.gateway.take_schedule(limit("opModTargetW", 1000.0, 9, "A" * 32), "grid")
    assert not two.lost
    two.gateway.take_schedule(limit("opModStorageTargetW", 2000.0, 1, "B" * 32), "market")
    assert two.values() == [-2000.0]
    assert two.lost == [("grid", "A" * 32)]


@pytest.mark.parametrize(
    ("weaker", "lost"),
    [
        ((0.0, 700.0, "P" * 32), [("A" * 32, False)]),
        ((0.0, 900.0, "P" * 32), [("A" * 32, False)]),
        ((200.0, 700.0, "Q" * 32), [("A" * 32, True)]),
        ((200.0, 900.0, "P" * 32), []),  # it has its turn afterwards
    ],
)
def test_of_two_set_points_of_one_utility_that_which_gives_way_is_told(
    weaker: tuple[float, float, str], lost: list[tuple[str, bool]]
) -> None:
    start, end, program = weaker
    told: list[Lost] = []
    gateway = Gateway(
        Ratings(9000.0, 5000.0),
        Hands(),
        on_signals=lambda: None,
        on_baseline=lambda _event, _power_w: None,
        on_lost=told.extend,
    )
    first = Active("opModTargetW", 1e3, "B" * 32, Program("P" * 32, "One", 1), 100.0, 700.0, True)
    other = Active("opModFixedW", 9.0, "A" * 32, Program(program, "Two", 9), start, end, True)
    gateway.take_schedule(Schedule(300.0, {a.mode: a for a in (first, other)}))
    assert [signal.value for signal in gateway.signals] == [-1000.0]
    assert [(each.event, each.by_program) for each in told] == lost
