"""A simple plan without a solver, so that there always is one: slot by slot, blind to prices.

Runs begin in the first slot in which they fit, heaters follow their thermostats, cars charge as
soon as they may, and batteries even out what is left.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from hems.cem.planner.milp.appliances import Runs, run_at
from hems.cem.planner.milp.battery import held_back, inside
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.heats import cooling
from hems.cem.planner.milp.model import Floats
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Battery, Car, Heat


@dataclass(frozen=True, slots=True)
class Simple:
    """The simple plan, for the median day.

    Attributes:
        devices: What each does.
        bought: (T,) kW.
        given: (T,) kW.
        held: (T,) Sun held back, kW.
    """

    devices: dict[str, PlannedDevice]
    bought: Floats
    given: Floats
    held: Floats


@dataclass(slots=True)
class _Meter:
    """What is drawn so far, by slot, kW; the sun counts against it."""

    frame: Frame
    drawn: Floats
    devices: dict[str, PlannedDevice] = field(default_factory=dict)

    def room(self, slot: int) -> float:
        """Return what may still be drawn in a slot."""
        return max(0.0, float(self.frame.most_import[slot] - self.drawn[slot]))

    def room_for(self, slot: int, seconds: float) -> float:
        """Return what may still be drawn all the time from a slot on, for as long as that."""
        slots = math.ceil(seconds / self.frame.problem.slots.step_s)
        return min(self.room(t) for t in range(slot, min(slot + max(1, slots), self.frame.count)))

    def put(self, device: str, planned: PlannedDevice) -> None:
        """Add a device."""
        self.devices[device] = planned
        self.drawn = self.drawn + np.array(planned.power_w) / 1000.0


def simple(frame: Frame, possible: tuple[Runs, ...]) -> Simple:
    """Return the simple plan."""
    problem = frame.problem
    meter = _Meter(frame, frame.load[0] - frame.sun[0])
    for runs in possible:
        meter.put(runs.appliance.id, _run(meter, runs))
    for heat in problem.heats:
        meter.put(heat.id, _thermostat(meter, heat))
    house = meter.drawn - frame.charging
    # Those that take what the sun leaves over come last of the cars, so that it is left over.
    for car in sorted(problem.cars, key=lambda car: car.surplus_only):
        meter.put(car.id, _charge(meter, car))
    fed = meter.drawn - house if not problem.car_from_storage else np.zeros(frame.count)
    bought = np.clip(fed - np.maximum(0.0, -house), 0.0, frame.most_import)
    for battery in problem.batteries:
        meter.put(battery.id, _even_out(meter, battery, bought))
    given = np.maximum(0.0, -meter.drawn)
    held = np.zeros(frame.count)
    if problem.curtailable:
        held = np.clip(given - frame.most_export, 0.0, frame.sun[0])
    return Simple(meter.devices, np.maximum(0.0, meter.drawn), given - held, held)


def _run(meter: _Meter, runs: Runs) -> PlannedDevice:
    """Return the first run that fits under the import limit, else the first."""
    count = meter.frame.count
    if not runs.starts:
        return PlannedDevice((0.0,) * count)
    every = (run_at(runs, begin, count) for begin in runs.starts)
    fits = (run for run in every if _keeps(meter, run))
    return next(fits, run_at(runs, runs.first, count))


def _keeps(meter: _Meter, run: PlannedDevice) -> bool:
    power = np.array(run.power_w) / 1000.0
    return bool(((meter.drawn + power <= meter.frame.most_import) | (power == 0)).all())


def _thermostat(meter: _Meter, heat: Heat) -> PlannedDevice:
    """Heat, or cool, from the one bound of comfort as long as it takes, and keep least times."""
    frame, goes = meter.frame, cooling(heat, meter.frame)
    low, high = np.sort([heat.low_c, heat.high_c], axis=0)
    full, step_s = heat.power_w / 1000.0, frame.problem.slots.step_s
    temp, on, lasted = heat.temp_c, heat.on_for_s > 0, abs(heat.on_for_s)
    power, level = [], []
    for t in range(frame.count):
        left = goes.kept * temp + goes.rest[t]
        wants = (left < low[t] and heat.gain[t] > 0) or (left > high[t] and heat.gain[t] < 0)
        must_stay = lasted < (heat.least_on_s if on else heat.least_off_s)
        goes_on = on if must_stay else wants and full <= meter.room_for(t, heat.least_on_s)
        lasted = lasted + step_s if goes_on == on else step_s
        on = goes_on
        draws = min(full, meter.room(t)) if heat.modulates else full
        power.append(draws if on else 0.0)
        temp = left + goes.warmed[t] * power[-1]
        level.append(temp)
    return PlannedDevice(tuple(1000.0 * p for p in power), tuple(float(x) for x in level))


def _charge(meter: _Meter, car: Car) -> PlannedDevice:
    """Charge as soon and as fast as may be, until what is needed is in."""
    hours = meter.frame.hours
    wanted = max((one.energy_wh for one in car.deadlines), default=0.0)
    if car.surplus_only:
        wanted = max(wanted, car.room_wh)
    taken, power, level = 0.0, [], []
    for t, present in enumerate(car.present):
        room = meter.room(t)
        if car.surplus_only:
            room = min(room, max(0.0, float(-meter.drawn[t])))
        most_w = min(1000.0 * room, car.most_w * present, max(0.0, wanted - taken) / hours)
        power.append(most_w if most_w >= min(car.least_w, car.most_w) * present else 0.0)
        taken += power[-1] * hours
        level.append(taken)
    return PlannedDevice(tuple(power), tuple(level))


def _even_out(meter: _Meter, battery: Battery, bought: Floats) -> PlannedDevice:
    """Take what is left over and give what is lacking, down to what is held back now or later.

    What is `bought` (T,) for cars, kW, it does not give.
    """
    frame = meter.frame
    hold = held_back(battery, frame.count)
    later = np.flip(np.maximum.accumulate(np.flip(hold)))
    energy, power, level = inside(battery), [], []
    for t in range(frame.count):
        over = bought[t] - meter.drawn[t]
        if over > 0:
            space = (battery.most_wh / 1000.0 - energy) / battery.charge_efficiency / frame.hours
            now = min(over, battery.charge_w / 1000.0, max(0.0, space))
            energy += now * frame.hours * battery.charge_efficiency
        else:
            spare = (energy - later[t]) * battery.discharge_efficiency / frame.hours
            now = max(over, -battery.discharge_w / 1000.0, min(0.0, -spare))
            energy += now * frame.hours / battery.discharge_efficiency
        power.append(1000.0 * float(now))
        level.append(1000.0 * float(energy))
    return PlannedDevice(tuple(power), tuple(level))
