"""What the planner earns in measured homes over a year, hour by hour, on its own forecasts.

Costs are those of what is bought; what is given is paid nothing, and what the battery holds at the
end counts for nothing. Four ways of running the same battery:

| figure | what it is |
|---|---|
| `greedy` | stores what the sun leaves over, gives whenever the house lacks anything |
| `perfect` | the linear programme (HiGHS) that knows the whole year |
| `ours` | the product's forecast (`hems.cem.forecast.paths`) and value of stored energy (`hems.cem.planner.worth.storage`, `manner`), at each hour from the hours before |
| `share` | how much of the way from greedy to perfect ours covers |

All three are parts of the cost with PV and no battery. Known at an hour: load and sun until then
and in it, and the tariff of the coming `AHEAD_H` hours, which is published. The forecast starts
with nothing and learns as the year goes. `seconds_per_home_year` is wall time of all that ours
takes, each home in one process.
"""  # noqa: E501

import time
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import highspy
import numpy as np

from hems.cem.forecast.past import Floats, Past
from hems.cem.forecast.paths import paths
from hems.cem.planner.problem import Battery, Limits, Prices
from hems.cem.planner.worth.bands import bands
from hems.cem.planner.worth.manner import Manner, manner
from hems.cem.planner.worth.storage import stored_value
from hems.cem.slots import Slots
from programs.economy import Use
from tests.benchmarks.common import Figure, parser, report
from tests.benchmarks.homes import HOUR_S, Home, described, read

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "homes"
AHEAD_H: Final = 24
PROCESSES: Final = 2
YEAR_H: Final = 8760
CLOCK: Final = ZoneInfo("UTC")
FREE: Final = float("inf")
NOTHING: Final = 1e-6
"""Below this share of the bare cost there is nothing to earn."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One home's year; money in the tariff's currency.

    Attributes:
        bare: Cost with PV and no battery.
        greedy: Cost of the greedy way.
        perfect: Least cost, knowing all.
        ours: Cost of the planner's way.
        seconds: Wall time of the latter.
        hours: How many.
    """

    bare: float
    greedy: float
    perfect: float
    ours: float
    seconds: float
    hours: int

    @property
    def share(self) -> float:
        """Share of the way from greedy to perfect; all of it where there is no way to go.

        Who loses something where nothing is to be earned has none of it.
        """
        way, least = self.greedy - self.perfect, NOTHING * max(abs(self.bare), 1.0)
        if way > least:
            return (self.greedy - self.ours) / way
        return 1.0 if self.ours - self.greedy <= least else 0.0

    @property
    def seconds_per_year(self) -> float:
        """Wall time of 8760 hours."""
        return self.seconds * YEAR_H / self.hours


def moved(battery: Battery, energy_wh: float, power_w: float) -> tuple[float, float]:
    """Return what a battery that is asked for a power for an hour does: (its power, its charge).

    It keeps to its bounds of power and charge whatever it is asked for.
    """
    if power_w >= 0.0:
        room_w = (battery.most_wh - energy_wh) / battery.charge_efficiency
        power_w = min(power_w, battery.charge_w, room_w)
        return power_w, energy_wh + power_w * battery.charge_efficiency
    left_w = (energy_wh - battery.least_wh) * battery.discharge_efficiency
    power_w = -min(-power_w, battery.discharge_w, left_w)
    return power_w, energy_wh + power_w / battery.discharge_efficiency


def asked(way: Manner, battery: Battery, energy_wh: float, net_w: float) -> float:
    """Return the power that a manner asks of a battery where the home's net load is so.

    A manner ends where its charge is reached; with a step of an hour, within the hour.
    """
    if way.use is Use.SELL:
        return way.power_w
    if net_w < 0.0:
        if way.use is Use.CHARGE:
            return max(way.power_w, -net_w)
        stored_w = max(0.0, way.store_to_wh - energy_wh) / battery.charge_efficiency
        return min(-net_w, stored_w) if way.use in {Use.EVEN_OUT, Use.KEEP} else 0.0
    if way.use is Use.CHARGE:
        return way.power_w
    spare_w = max(0.0, energy_wh - way.give_to_wh) * battery.discharge_efficiency
    return -min(net_w, spare_w) if way.use in {Use.EVEN_OUT, Use.GIVE} else 0.0


def cost_of(net_w: Floats, price_per_kwh: Floats) -> float:
    """Return what is paid for net loads by hour."""
    return float(np.maximum(net_w, 0.0) @ price_per_kwh) / 1000.0


def greedy(home: Home) -> float:
    """Return the cost of bringing the meter to zero whenever that can be done."""
    energy_wh, power_w = home.battery.energy_wh, []
    net_w = home.load_w + home.sun_w
    for net in net_w:
        power, energy_wh = moved(home.battery, energy_wh, -float(net))
        power_w.append(power)
    return cost_of(net_w + np.array(power_w), home.price_per_kwh)


def ours(home: Home) -> float:
    """Return the planner's cost."""
    energy_wh, power_w = home.battery.energy_wh, []
    if home.battery.most_wh <= home.battery.least_wh:
        return cost_of(home.load_w + home.sun_w, home.price_per_kwh)
    for hour in range(home.slots.count):
        way = decided(home, hour, energy_wh)
        net = float(home.load_w[hour] + home.sun_w[hour])
        power, energy_wh = moved(home.battery, energy_wh, asked(way, home.battery, energy_wh, net))
        power_w.append(power)
    return cost_of(home.load_w + home.sun_w + np.array(power_w), home.price_per_kwh)


def decided(home: Home, hour: int, energy_wh: float) -> Manner:
    """Return what the planner decides for an hour, from what is known in it."""
    begins = home.slots.start + hour * HOUR_S
    past = Past(
        Slots(home.slots.start, HOUR_S, hour),
        CLOCK,
        home.load_w[:hour],
        home.sun_w[:hour],
        holidays=home.holidays,
        present_load_w=float(home.load_w[hour]),
        present_sun_w=float(home.sun_w[hour]),
    )
    coming = Slots(begins, HOUR_S, min(AHEAD_H, home.slots.count - hour))
    buy = home.price_per_kwh[hour : hour + coming.count].tolist()
    staircase = bands(
        Prices(tuple(buy), (0.0,) * coming.count),
        Limits((FREE,) * coming.count, (FREE,) * coming.count),
        coming.hours,
        curtailable=True,
    )
    value = stored_value(coming, home.battery, staircase, paths(past, coming))
    return manner(value, 0, energy_wh, float(home.load_w[hour] + home.sun_w[hour]))


def perfect(home: Home) -> float:
    """Return the least cost that anything could have reached.

    Columns by hour: charging, discharging and import in kW, charge at the end in kWh. Rows by
    hour: what is imported covers the net load; what the battery holds changes by what goes in and
    out. No more is imported than load and charging can take, or a price below zero were a mine.
    """
    battery, count = home.battery, home.slots.count
    net = (home.load_w + home.sun_w) / 1000.0
    hours = np.arange(count)
    charge, discharge, bought, held = (hours + part * count for part in range(4))
    entries = (
        (hours, charge, -1.0),
        (hours, discharge, 1.0),
        (hours, bought, 1.0),
        (count + hours, held, 1.0),
        (count + hours[1:], held[:-1], -1.0),
        (count + hours, charge, -battery.charge_efficiency),
        (count + hours, discharge, 1.0 / battery.discharge_efficiency),
    )
    rows = np.concatenate([row for row, _, _ in entries])
    columns = np.concatenate([column for _, column, _ in entries])
    values = np.concatenate([np.full(row.size, value) for row, _, value in entries])
    order = np.argsort(columns, kind="stable")
    begun = np.where(hours == 0, battery.energy_wh / 1000.0, 0.0)
    most_w = np.maximum(np.maximum(home.load_w, home.load_w + home.sun_w), 0.0) + battery.charge_w
    most = (battery.charge_w, battery.discharge_w, 0.0, battery.most_wh)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = 4 * count, 2 * count
    model.col_cost_ = np.concatenate((np.zeros(2 * count), home.price_per_kwh, np.zeros(count)))
    model.col_lower_ = np.repeat([0.0, 0.0, 0.0, battery.least_wh / 1000.0], count)
    upper = np.repeat(np.array(most) / 1000.0, count)
    upper[bought] = most_w / 1000.0
    model.col_upper_ = upper
    model.row_lower_ = np.concatenate((net, begun))
    model.row_upper_ = np.concatenate((np.full(count, np.inf), begun))
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(4 * count + 1))
    model.a_matrix_.index_ = rows[order]
    model.a_matrix_.value_ = values[order]
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SystemExit(f"{home.name}: HiGHS found no optimum: {solver.getModelStatus()}")
    return float(solver.getInfo().objective_function_value)


def measured(directory: Path, name: str) -> Measured:
    """Return one home's figures."""
    home = read(directory, name)
    began = time.perf_counter()
    cost = ours(home)
    seconds = time.perf_counter() - began
    return Measured(
        cost_of(home.load_w + home.sun_w, home.price_per_kwh),
        greedy(home),
        perfect(home),
        cost,
        seconds,
        home.slots.count,
    )


def part(cost: float, bare: float) -> float | None:
    """Return a cost as a part of that with PV and no battery; None where that is nothing."""
    return round(cost / bare, 4) if bare > 0.0 else None


def figures(all_measured: Mapping[str, Measured]) -> Mapping[str, Figure]:
    """Return what is reported."""
    shares = [m.share for m in all_measured.values()]
    seconds = [m.seconds_per_year for m in all_measured.values()]
    return {
        "homes": {
            name: {
                "greedy": part(m.greedy, m.bare),
                "perfect": part(m.perfect, m.bare),
                "ours": part(m.ours, m.bare),
                "share": round(m.share, 3),
            }
            for name, m in all_measured.items()
        },
        "mean_share": round(sum(shares) / len(shares), 3),
        "min_share": round(min(shares), 3),
        "seconds_per_home_year": round(sum(seconds) / len(seconds), 1),
        "seconds_most": round(max(seconds), 1),
        "hours_known_ahead": AHEAD_H,
    }


def directory(text: str) -> Path:
    """Return the directory that an option names.

    Raises:
        ArgumentTypeError: It is none.
    """
    path = Path(text)
    if not path.is_dir():
        raise ArgumentTypeError(f"no directory {text}")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--data", type=directory, default=DATA, help="directory of the homes")
    line.add_argument("--homes", default="", help="names of some of them, by commas")
    options = line.parse_args(arguments)
    wanted = [n for n in options.homes.split(",") if n] or list(described(options.data))
    for name in wanted:
        read(options.data, name)  # whatever is wrong is said before anything is measured
    found: dict[str, Measured] = {}
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for name, one in zip(
            wanted, pool.map(measured, [options.data] * len(wanted), wanted), strict=True
        ):
            found[name] = one
            print(f"{name}: share {one.share:.3f}, {one.seconds:.1f} s", flush=True)
    report(
        "plan-value",
        figures(found),
        requirements=["ROLE-CEM"],
        headline=["mean_share", "min_share", "seconds_per_home_year"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
