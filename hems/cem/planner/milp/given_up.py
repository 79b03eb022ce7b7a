"""What a plan could not do, in words for the owner, worked out from the plan itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from der.sentence import say
from hems.cem.planner.milp.appliances import Runs, begin_of, late_s
from hems.cem.planner.milp.battery import held_back
from hems.cem.planner.milp.cars import most, need_by
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.model import Floats
from hems.cem.planner.plan import GivenUp, PlannedDevice
from hems.cem.planner.problem import Battery, Car, Deadline, Heat

_SLACK_KW: Final = 1e-4
_SLACK_KWH: Final = 1e-3
_SLACK_K: Final = 0.5
"""Nobody feels less than that."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a plan, for the median day.

    Attributes:
        frame: The problem.
        runs: When each appliance might have begun.
        devices: What each does.
        bought: (T,) kW.
        given: (T,) kW.
        zone: Of the home's clock.
    """

    frame: Frame
    runs: tuple[Runs, ...]
    devices: Mapping[str, PlannedDevice]
    bought: Floats
    given: Floats
    zone: tzinfo

    def power(self, device: str) -> Floats:
        """(T,) What a device does, kW."""
        return np.array(self.devices[device].power_w) / 1000.0

    def level(self, device: str) -> Floats:
        """(T,) Its level."""
        return np.array(self.devices[device].level)

    def limited(self) -> NDArray[np.bool_]:
        """(T,) Whether no more may be bought."""
        return self.bought >= self.frame.most_import - _SLACK_KW

    def limit_until(self, binds: NDArray[np.bool_]) -> str:
        """Return whose limit binds in some slots, and until when; empty if none does."""
        slots = np.flatnonzero(binds)
        if not len(slots):
            return ""
        by = self.frame.problem.limits.by
        name = (by[slots[-1]] if by else "") or say("import limit")
        return say("{limit} until {time}", limit=name, time=self.clock(int(slots[-1]) + 1))

    def clock(self, slot: int) -> str:
        """Return when a slot starts, as the home's clocks have it."""
        return f"{datetime.fromtimestamp(self.starts(slot), self.zone):%H:%M}"

    def starts(self, slot: int) -> float:
        """Return when a slot starts, UTC epoch seconds."""
        slots = self.frame.problem.slots
        return slots.start + slot * slots.step_s


def given_up(outcome: Outcome) -> tuple[GivenUp, ...]:
    """Return what the plan could not do, what is worst for safety first."""
    problem = outcome.frame.problem
    found = [
        _beyond(outcome, outcome.bought - outcome.frame.most_import, "import"),
        _beyond(outcome, outcome.given - outcome.frame.most_export, "export"),
        *(_reserve(outcome, battery) for battery in problem.batteries),
        *(_deadline(outcome, car, deadline) for car in problem.cars for deadline in car.deadlines),
        *(_late(outcome, runs) for runs in outcome.runs),
        *(
            _discomfort(outcome, heat, cold=cold)
            for heat in problem.heats
            for cold in (True, False)
        ),
    ]
    return tuple(one for one in found if one is not None)


def _beyond(outcome: Outcome, excess: Floats, what: str) -> GivenUp | None:
    """Name a limit of the connection point that what cannot be controlled breaks."""
    slots = np.flatnonzero(excess > _SLACK_KW)
    if not len(slots):
        return None
    until = outcome.clock(int(slots[-1]) + 1)
    most_kw = excess[slots].max()
    if what == "import":
        words = say("{power:.1f} kW above the import limit", power=most_kw)
        because = say("what cannot be put off draws more until {until}", until=until)
    else:
        words = say("{power:.1f} kW above the export limit", power=most_kw)
        because = say("the sun gives more until {until} and cannot be held back", until=until)
    return GivenUp(
        device="",
        words=words,
        at=outcome.starts(int(slots[0])),
        because=because,
        amount=float(excess[slots].sum()) * outcome.frame.hours * 1000.0,
    )


def _reserve(outcome: Outcome, battery: Battery) -> GivenUp | None:
    """Name what a battery lacks of what it is to hold back, where it lacks most."""
    level = outcome.level(battery.id) / 1000.0
    missing = held_back(battery, outcome.frame.count) - level
    worst = int(np.argmax(missing))
    if missing[worst] <= _SLACK_KWH:
        return None
    full = outcome.power(battery.id) >= battery.charge_w / 1000.0 - _SLACK_KW
    before = np.arange(outcome.frame.count) <= worst
    because = outcome.limit_until(outcome.limited() & before & ~full)
    if not because and full[before].all():
        because = say("it charges no faster")
    short = missing[worst]
    promised = bool(battery.committed_wh) and battery.committed_wh[worst] > 0.0
    return GivenUp(
        device=battery.id,
        words=say("{missing:.1f} kWh short of the reserve that is promised of it", missing=short)
        if promised
        else say("{missing:.1f} kWh short of its reserve", missing=short),
        at=outcome.starts(worst + 1),
        because=because,
        amount=float(missing[worst]) * 1000.0,
    )


def _deadline(outcome: Outcome, car: Car, deadline: Deadline) -> GivenUp | None:
    """Name what a car lacks at a deadline."""
    frame = outcome.frame
    slots = frame.problem.slots
    if deadline.energy_wh <= 0:
        return None
    if deadline.at <= slots.start:
        return GivenUp(
            device=car.id,
            words=say("still {energy:.1f} kWh short", energy=deadline.energy_wh / 1000.0),
            at=deadline.at,
            because=say("that time has gone by"),
            amount=deadline.energy_wh,
        )
    counts, asked = need_by(car, frame, deadline)
    power, upper = outcome.power(car.id), most(car, np.arange(frame.count))
    short = asked - float(counts @ power) * frame.hours
    # Less than the least that it can take in a slot is a matter of rounding.
    if short <= max(_SLACK_KWH, car.least_w / 1000.0 * frame.hours):
        return None
    could = (counts > 0) & (upper > 0) & (power < upper - _SLACK_KW)
    return GivenUp(
        device=car.id,
        words=say(
            "{share} % of what it needs", share=int(100.0 - 100000.0 * short / deadline.energy_wh)
        ),
        at=deadline.at,
        because=_why_short(outcome, car, could),
        amount=short * 1000.0,
    )


def _why_short(outcome: Outcome, car: Car, could: NDArray[np.bool_]) -> str:
    """Return why a car does not take more; `could` (T,) is where it has power left."""
    if car.surplus_only:
        return say("the sun leaves over no more")
    if not could.any():
        return say("it is there no longer, and charges no faster")
    return outcome.limit_until(outcome.limited() & could)


def _late(outcome: Outcome, runs: Runs) -> GivenUp | None:
    """Name a run that is done late."""
    begin = begin_of(runs, outcome.power(runs.appliance.id))
    appliance, frame = runs.appliance, outcome.frame
    late = 0.0 if begin is None else late_s(appliance, frame, begin)
    if late < 1.0:
        return None
    minutes = round(late / 60.0)
    took = f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 -- an hour
    soonest = begin == runs.first
    return GivenUp(
        device=appliance.id,
        words=say("done {took} late", took=took),
        at=appliance.ready_by,
        because=say("it cannot begin sooner")
        if soonest
        else outcome.limit_until(_in_the_way(outcome, runs, begin)),
        amount=late,
        unit="s",
    )


def _in_the_way(outcome: Outcome, runs: Runs, begin: int | None) -> NDArray[np.bool_]:
    """(T,) Return where the run would not have fitted under the import limit before it begins."""
    frame = outcome.frame
    drawn = frame.load[0] - frame.sun[0] + runs.most
    in_the_way: NDArray[np.bool_] = drawn > frame.most_import
    in_the_way[begin or 0 :] = False
    return in_the_way


def _discomfort(outcome: Outcome, heat: Heat, *, cold: bool) -> GivenUp | None:
    """Name how far something gets too cold, or too warm."""
    level = outcome.level(heat.id)
    low, high = np.sort([heat.low_c, heat.high_c], axis=0)
    beyond = np.maximum(0.0, low - level if cold else level - high)
    worst = int(np.argmax(beyond))
    if beyond[worst] <= _SLACK_K:
        return None
    helps = (np.array(heat.gain) > 0) == cold
    full = outcome.power(heat.id) >= heat.power_w / 1000.0 - _SLACK_KW
    before = np.arange(outcome.frame.count) <= worst
    because = outcome.limit_until(outcome.limited() & before & helps & ~full)
    if not because and full[before & helps].all() and helps[before].any():
        because = say("it runs all the time")
    return GivenUp(
        device=heat.id,
        words=say("up to {beyond:.1f} K too cold", beyond=beyond[worst])
        if cold
        else say("up to {beyond:.1f} K too warm", beyond=beyond[worst]),
        at=outcome.starts(worst + 1),
        because=because,
        amount=float(beyond.sum()) * outcome.frame.problem.slots.step_s,
        unit="K s",
    )
