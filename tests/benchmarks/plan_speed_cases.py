"""The problems that planning is measured on: one home, two horizons, four tariffs or troubles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hems.cem.planner.problem import (
    Appliance,
    Battery,
    BySlot,
    Car,
    Deadline,
    Limits,
    Prices,
    Problem,
    Scenario,
)
from hems.cem.slots import Slots

START: Final = 1_750_032_000
"""A midnight, UTC."""
DAY_S: Final = 86_400.0
HORIZONS: Final = {"24h-15min": (24, 900.0), "48h-5min": (48, 300.0)}
TARIFFS: Final = ("tou", "dynamic", "negative", "unmeetable")
IMPORT_W: Final = 9000.0
EXPORT_W: Final = 5000.0
BATTERY: Final = Battery("battery", 4000.0, 500.0, 10000.0, 5000.0, 5000.0, wear_per_kwh=0.02)


@dataclass(frozen=True)
class Day:
    """Slots, and what they have of their own.

    Attributes:
        slots: The steps of time.
        hour: (T,) Of the day.
        load_w: (T,)
        sun_w: (T,) Never positive.
    """

    slots: Slots
    hour: NDArray[np.float64]
    load_w: NDArray[np.float64]
    sun_w: NDArray[np.float64]


def day(horizon: str, peak_w: float = 6000.0) -> Day:
    """Return a horizon with load and sun; the noise is the same in every run."""
    hours, step_s = HORIZONS[horizon]
    slots = Slots(START, step_s, round(hours * 3600 / step_s))
    hour = np.arange(slots.count, dtype=np.float64) * slots.hours % 24
    noise = np.random.default_rng(5).gamma(1.0, 80.0, slots.count)
    load = 300 + 800 * _bump(hour, 7.5, 1.0) + 1500 * _bump(hour, 19.0, 1.8) + noise
    clouds = 0.75 + 0.25 * np.sin(1.7 * np.arange(slots.count) * slots.hours)
    sun = peak_w * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) ** 1.3 * clouds
    return Day(slots, hour, load, -sun)


def _bump(hour: NDArray[np.float64], at: float, width: float) -> NDArray[np.float64]:
    bump: NDArray[np.float64] = np.exp(-(((hour - at) / width) ** 2))
    return bump


def row(values: ArrayLike, count: int) -> BySlot:
    """Return a value for each slot."""
    return tuple(np.broadcast_to(np.asarray(values, float), (count,)).tolist())


def tou(hour: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return import prices by time of use."""
    return np.where(
        (hour >= 17) & (hour < 21), 0.42, np.where((hour < 6) | (hour >= 22), 0.16, 0.27)
    )


def dynamic(count: int, slots: Slots, *, glut: float) -> NDArray[np.float64]:
    """Return import prices by the hour; `glut` is by how much they fall about noon."""
    hours = round(count * slots.hours)
    at = np.arange(hours)
    noise = np.random.default_rng(7).normal(0.0, 0.03, hours)
    price = 0.22 + 0.1 * np.sin((at - 14) / 12 * 2 * np.pi) + noise
    price -= glut * np.exp(-((((at % 24) - 13) / 2.5) ** 2))
    return np.repeat(price, count // hours)


def appliances(slots: Slots) -> tuple[Appliance, Appliance]:
    """Return two runs that are not to be interrupted."""

    def hours(length: float) -> int:
        return max(1, round(length / slots.hours))

    dishes = (1800.0,) * hours(0.5) + (200.0,) * hours(0.75) + (1600.0,) * hours(0.5)
    laundry = (2000.0,) * hours(0.5) + (300.0,) * hours(1.0)
    return (
        Appliance("dishwasher", dishes, START + 8 * 3600, START + 17 * 3600),
        Appliance("washing-machine", laundry, START + 9 * 3600, START + 20 * 3600),
    )


def case(horizon: str, tariff: str) -> Problem:
    """Return one problem."""
    here = day(horizon)
    count, hour = here.slots.count, here.hour
    trouble = tariff == "unmeetable"
    if tariff in {"tou", "unmeetable"}:
        buy, sell = tou(hour), np.full(count, 0.08)
    else:
        buy = dynamic(count, here.slots, glut=0.26 if tariff == "negative" else 0.0)
        sell = buy - 0.05 if tariff == "negative" else 0.6 * buy
    # In trouble the limit falls at night, and for an hour the load alone is above it, with more
    # than the battery can give; and the car needs more than passes until the morning.
    limit = np.where(trouble & (hour < 6), 3000.0, IMPORT_W)
    load = here.load_w + np.where(trouble & (hour >= 2) & (hour < 3), 9000.0, 0.0)
    morning, next_morning = START + 7.5 * 3600, START + 31.5 * 3600
    needs = (30000.0, 70000.0) if trouble else (9000.0, 27000.0)
    deadlines = [Deadline(morning, needs[0]), Deadline(next_morning, needs[1])]
    home = (hour >= 18) | (hour < 7.5)
    return Problem(
        here.slots,
        Prices(row(buy, count), row(sell, count)),
        Limits(row(limit, count), row(EXPORT_W, count)),
        (Scenario(1.0, row(load, count), row(here.sun_w, count)),),
        batteries=(BATTERY,),
        cars=(
            Car(
                "car",
                1380.0,
                7400.0,
                row(home, count),
                tuple(one for one in deadlines if one.at <= here.slots.end),
                room_wh=80000.0,
            ),
        ),
        appliances=appliances(here.slots),
        car_from_storage=True,
    )


def cases() -> Mapping[str, Problem]:
    """Return all problems by name."""
    return {f"{h}-{t}": case(h, t) for h in HORIZONS for t in TARIFFS}


def equal(horizon: str) -> Problem:
    """Return a problem that EMHASS can express too: see `as_emhass`.

    By time of use; runs may begin at any time; the battery ends no emptier than it began, and may
    give as much less than it may take as it loses on the way out; the sun cannot be held back and
    stays below what may be exported; the car needs one amount in one stay, and the battery may
    feed it.
    """
    here = day(horizon, peak_w=4500.0)
    count = here.slots.count
    at = np.arange(count) * here.slots.hours
    stay = (at >= 18) if here.slots.end - START <= DAY_S else (at >= 18) & (at < 31.5)
    start, any_time = BATTERY.energy_wh, START - 3600.0
    held = np.where(np.arange(count) == count - 1, start - BATTERY.least_wh, 0.0)
    battery = Battery(
        "battery",
        start,
        BATTERY.least_wh,
        BATTERY.most_wh,
        BATTERY.charge_w,
        BATTERY.discharge_w * BATTERY.discharge_efficiency,
        wear_per_kwh=BATTERY.wear_per_kwh,
        committed_wh=row(held, count),
    )
    leaves = here.slots.start + float(np.flatnonzero(stay)[-1] + 1) * here.slots.step_s
    return Problem(
        here.slots,
        Prices(row(tou(here.hour), count), row(0.08, count)),
        Limits(row(IMPORT_W, count), row(EXPORT_W, count)),
        (Scenario(1.0, row(here.load_w, count), row(here.sun_w, count)),),
        batteries=(battery,),
        cars=(
            Car(
                "car",
                1380.0,
                7400.0,
                row(stay, count),
                (Deadline(leaves, 18500.0),),
                room_wh=18500.0,
            ),
        ),
        appliances=tuple(
            Appliance(one.id, one.profile_w, any_time, here.slots.end)
            for one in appliances(here.slots)
        ),
        curtailable=False,
        car_from_storage=True,
        end_value_per_kwh=0.0,
    )


def as_emhass(problem: Problem) -> dict[str, Any]:
    """Return such a problem in EMHASS's words."""
    battery, car, only = problem.batteries[0], problem.cars[0], problem.scenarios[0]
    stay = [t for t, there in enumerate(problem.cars[0].present) if there]
    runs = [list(one.profile_w) for one in problem.appliances]
    loads = len(runs) + 1
    start = battery.energy_wh / battery.most_wh
    conf = {
        "number_of_deferrable_loads": loads,
        "nominal_power_of_deferrable_loads": [*runs, car.most_w],
        "minimum_power_of_deferrable_loads": [*[0.0] * len(runs), car.least_w],
        "operating_hours_of_each_deferrable_load": [
            *[0] * len(runs),
            car.deadlines[0].energy_wh / car.most_w,
        ],
        "start_timesteps_of_each_deferrable_load": [*[0] * len(runs), stay[0]],
        "end_timesteps_of_each_deferrable_load": [*[0] * len(runs), stay[-1] + 1],
        "treat_deferrable_load_as_semi_cont": [False] * loads,
        "set_deferrable_load_single_constant": [False] * loads,
        "set_deferrable_startup_penalty": [0.0] * loads,
        "set_deferrable_max_startups": [0] * loads,
        "def_minimum_on_time": [0] * loads,
        "def_minimum_off_time": [0] * loads,
        "deferrable_load_max_cost": [0.0] * loads,
        "is_electric_load": [True] * loads,
        "cost_forecast_per_deferrable_load": [None] * loads,
        "set_use_pv": True,
        "set_use_battery": True,
        "set_nodischarge_to_grid": False,
        "weight_battery_discharge": battery.wear_per_kwh,
        "weight_battery_charge": 0.0,
        "battery_discharge_power_max": battery.discharge_w / battery.discharge_efficiency,
        "battery_charge_power_max": battery.charge_w,
        "battery_discharge_efficiency": battery.discharge_efficiency,
        "battery_charge_efficiency": battery.charge_efficiency,
        "battery_nominal_energy_capacity": battery.most_wh,
        "battery_minimum_state_of_charge": battery.least_wh / battery.most_wh,
        "battery_maximum_state_of_charge": 1.0,
        "maximum_power_from_grid": problem.limits.import_w[0],
        "maximum_power_to_grid": problem.limits.export_w[0],
        "compute_curtailment": False,
        "lp_solver": "Highs",
        "lp_solver_mip_rel_gap": 1e-4,
        "lp_solver_timeout": 120,
        "num_threads": 1,
    }
    return {
        "start": problem.slots.start,
        "step_s": problem.slots.step_s,
        "count": problem.slots.count,
        "load_w": only.load_w,
        "sun_w": [-power for power in only.sun_w],
        "buy": problem.prices.import_per_kwh,
        "sell": problem.prices.export_per_kwh,
        "soc": {"soc_init": start, "soc_final": start},
        "conf": conf,
    }
