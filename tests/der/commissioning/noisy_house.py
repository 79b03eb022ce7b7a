"""A house that does other things while a device is moved: slow and obvious, and it knows the truth.

It plays the test move's steps in time that it makes up itself, second by second.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from der.commissioning.judge import Verdict, judge
from der.commissioning.plan import Step, plan
from der.commissioning.shifts import Stay, decided, shifts
from der.model import Control, DeviceSpec, Phase, PhaseReading, Reading

EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Appliance:
    """Something else that runs for a while, on one phase.

    Attributes:
        begins_s: When, s from the test's start.
        lasts_s: How long.
        power_w: What it draws.
        phase: Where.
    """

    begins_s: float
    lasts_s: float
    power_w: float
    phase: Phase = Phase.A

    def at(self, t: float) -> float:
        return self.power_w if self.begins_s <= t < self.begins_s + self.lasts_s else 0.0


@dataclass(slots=True)
class House:
    """The truth.

    Attributes:
        device_phases: Where the device really is connected.
        device_sign: -1 if it does the opposite of what it is told.
        reading_sign: -1 if its own readings have the wrong sign.
        gain: How much of what it is told it does.
        lag_s: After so long it has done what it was told.
        meter_sign: -1 if the meter counts the other way round.
        turned: Phases whose current transformers alone are turned round.
        behind: Whether the device is behind the meter at all.
        stuck: Whether the meter shows one value.
        silent: Whether the meter says nothing new.
        base_w: What the house draws evenly, on each phase.
        noise_w: Standard deviation of what flickers, on each phase.
        others: What else runs.
        own_w: What the device does when it may do as it likes.
        phases: Whether the meter tells phases apart.
    """

    device_phases: Sequence[Phase] = (Phase.A,)
    device_sign: float = 1.0
    reading_sign: float = 1.0
    gain: float = 1.0
    lag_s: float = 2.0
    meter_sign: float = 1.0
    turned: frozenset[Phase] = frozenset()
    behind: bool = True
    stuck: bool = False
    silent: bool = False
    base_w: float = 200.0
    noise_w: float = 5.0
    others: Sequence[Appliance] = ()
    own_w: float = 0.0
    phases: bool = True
    rng: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - noise

    def meter(self, t: float, device_w: float) -> Reading:
        """Return what the meter shows."""
        powers = []
        for phase in Phase:
            power_w = self.base_w + self.rng.gauss(0.0, self.noise_w)
            power_w += sum(a.at(t) for a in self.others if a.phase is phase)
            if self.behind and phase in self.device_phases:
                power_w += device_w / len(self.device_phases)
            powers.append(power_w * self.meter_sign * (-1.0 if phase in self.turned else 1.0))
        if self.stuck:
            powers = [self.base_w] * 3
        at = 0.0 if self.silent else t
        phases = tuple(PhaseReading(power_w) for power_w in powers) if self.phases else ()
        return Reading(at, sum(powers), phases=phases)


def obeying(spec: DeviceSpec, own_w: float, told_w: float) -> float:
    """Return what a sound device does when it is told a set-point."""
    match spec.control:
        case Control.TARGET:
            return told_w
        case Control.FLOOR:
            return max(own_w, told_w)
        case Control.CEILING:
            return min(own_w, told_w) if told_w >= spec.least_on_w else 0.0
        case _:
            return own_w if told_w >= spec.max_w else 0.0


def commissioned(
    spec: DeviceSpec,
    house: House,
    move_s: float = 10.0,
    rounds: int = 3,
    trace: Callable[[Stay], None] = lambda _stay: None,
) -> Verdict:
    """Make the test move in the house, and return what is concluded."""
    planned = plan(spec, Reading(0.0, house.own_w * house.reading_sign, soc=0.5), move_s)
    stays: list[Stay] = []
    t, actual_w = 0.0, house.own_w
    for _ in range(rounds if planned.moves else 1):
        for step in planned.steps:
            stays.append(_stay(spec, house, step, t, actual_w))
            t, actual_w = stays[-1].ended, stays[-1].device[-1].power_w * house.reading_sign
        if decided(shifts(stays), stays):
            break
    for stay in stays:
        trace(stay)
    return judge(spec, planned, stays)


def _stay(spec: DeviceSpec, house: House, step: Step, begun: float, actual_w: float) -> Stay:
    obedient_w = obeying(spec, house.own_w, step.setpoint.power_w)
    # A device that obeys only partly, or the other way round, starts from where it stood.
    start_w = 0.0 if spec.control is Control.TARGET else house.own_w
    aim_w = start_w + house.device_sign * house.gain * (obedient_w - start_w)
    t, device, meter = begun, list[Reading](), list[Reading]()
    while t < begun + step.hold_s:
        t += EVERY_S
        share = min(1.0, EVERY_S / max(house.lag_s, EVERY_S))
        actual_w += (aim_w - actual_w) * (1.0 if t - begun >= house.lag_s else share)
        device.append(Reading(t, actual_w * house.reading_sign))
        meter.append(house.meter(t, actual_w))
    return Stay(step, begun, t, tuple(device), tuple(meter))
