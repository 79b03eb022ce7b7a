"""Measured homes, hourly over a year, as a directory of files has them.

- `homes.json`, by name: `pv_kwp`, and `battery` with `capacity` (kWh), `nominal_power` (kW) and
  `efficiency` (of a round trip);
- `NAME.csv`, by hour: `month`, `hour` (1 to 24, that of its end), `day_type` (1 Monday to 7 Sunday,
  8 a holiday), `load_kwh`, `pv_w_per_kwp`;
- `grid.csv`, the same hours: `price_usd_per_kwh`.
"""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from hems.cem.forecast.past import Floats
from hems.cem.planner.problem import Battery
from hems.cem.slots import Slots

HOUR_S: Final = 3600.0
COLUMNS: Final = ("month", "hour", "day_type", "load_kwh", "pv_w_per_kwp")
HOLIDAY: Final = 8
YEARS: Final = range(2016, 1988, -1)
"""The files don't say which year it was: the latest of these whose weekdays fit is taken."""


@dataclass(frozen=True, slots=True)
class Home:
    """One home's year.

    Attributes:
        name: As in homes.json.
        slots: The hours. The local clock is taken for UTC: nothing else is known of the zone.
        load_w: By hour.
        sun_w: By hour, not positive (passive sign).
        price_per_kwh: By hour.
        holidays: Ordinals of days that the files call so.
        battery: Empty at first. A round trip's loss is split evenly between both ways.
    """

    name: str
    slots: Slots
    load_w: Floats
    sun_w: Floats
    price_per_kwh: Floats
    holidays: frozenset[int]
    battery: Battery


@dataclass(frozen=True, slots=True)
class Described:
    """What homes.json says of a home: kWp, kWh, kW, and the efficiency of a round trip."""

    pv_kwp: float
    capacity_kwh: float
    power_kw: float
    efficiency: float


def described(directory: Path) -> dict[str, Described]:
    """Return the homes of a directory by name.

    Raises:
        SystemExit: There are none, or something about one is missing.
    """
    path = directory / "homes.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        homes = {name: _described(home) for name, home in sorted(found.items())}
    except OSError as error:
        raise SystemExit(f"no homes in {directory}: {error}; say where with --data DIR") from error
    except UnicodeDecodeError as error:
        raise SystemExit(f"{path} is no text: {error}") from error
    except json.JSONDecodeError as error:
        raise SystemExit(f"{path} is no JSON: {error}") from error
    except KeyError as error:
        raise SystemExit(f"{path}: a home without {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise SystemExit(f"{path} does not describe homes: {error}") from error
    if not homes:
        raise SystemExit(f"no homes in {path}")
    return homes


def _described(home: Mapping[str, Any]) -> Described:
    """Return what is said of a home.

    Raises:
        KeyError: Something is missing.
        TypeError: It is not as it should be.
        ValueError: A figure cannot be.
    """
    battery = home["battery"]
    figures = (
        home["pv_kwp"],
        battery["capacity"],
        battery["nominal_power"],
        battery["efficiency"],
    )
    made = Described(*(float(figure) for figure in figures))
    if not all(math.isfinite(f) and f >= 0.0 for f in astuple(made)):
        raise ValueError(f"a figure below 0, or none: {made}")
    if not 0.0 < made.efficiency <= 1.0:
        raise ValueError(f"an efficiency of {made.efficiency:g}; it is a share, above 0")
    return made


def read(directory: Path, name: str) -> Home:
    """Read one home.

    Raises:
        SystemExit: It is not there, or its files don't fit together.
    """
    homes = described(directory)
    if name not in homes:
        raise SystemExit(f"no home {name} in {directory}; there are {', '.join(homes)}")
    home = homes[name]
    rows = _table(directory / f"{name}.csv", COLUMNS)
    price = _table(directory / "grid.csv", ("price_usd_per_kwh",))[:, 0]
    if len(price) != len(rows):
        raise SystemExit(f"{name}.csv has {len(rows)} hours, grid.csv has {len(price)}")
    one_way = math.sqrt(home.efficiency)
    slots = Slots(_start(rows[:, :3], name).timestamp(), HOUR_S, len(rows))
    days = [datetime.fromtimestamp(start, UTC).date().toordinal() for start in slots]
    return Home(
        name,
        slots,
        rows[:, 3] * 1000.0,
        -rows[:, 4] * home.pv_kwp,
        price,
        frozenset(day for day, kind in zip(days, rows[:, 2], strict=True) if kind == HOLIDAY),
        Battery(
            f"{name} battery",
            0.0,
            0.0,
            home.capacity_kwh * 1000.0,
            home.power_kw * 1000.0,
            home.power_kw * 1000.0,
            one_way,
            one_way,
        ),
    )


def _table(path: Path, columns: Sequence[str]) -> Floats:
    """Return some columns of a CSV file.

    Raises:
        SystemExit: The file or a column is missing, or a value is no number.
    """
    rows: list[list[float]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                rows.append([_number(row[column], len(rows) + 2) for column in columns])
    except OSError as error:
        raise SystemExit(f"cannot read {path}: {error}") from error
    except KeyError as error:
        raise SystemExit(f"{path} has no column {error}") from error
    except (ValueError, csv.Error) as error:
        raise SystemExit(f"{path}: {error}") from error
    if not rows:
        raise SystemExit(f"{path} has no rows")
    return np.array(rows)


def _number(text: str | None, line: int) -> float:
    """Return what a field says.

    Raises:
        ValueError: It is no number.
    """
    try:
        value = float(text or "")
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from error
    if not math.isfinite(value):
        raise ValueError(f"line {line}: {text} is no number")
    return value


def _start(calendar: Floats, name: str) -> datetime:
    """Return when the first hour begins, in the year whose weekdays are most those of the file.

    Args:
        calendar: Columns month, hour (of its end), kind of day.
        name: For the message.

    Raises:
        SystemExit: The file does not reach into a second month, or its calendar is none.
    """
    if ((calendar < 1) | (calendar > (12, 24, HOLIDAY))).any():
        raise SystemExit(f"{name}.csv: a month, an hour or a kind of day that there is not")
    month = int(calendar[0, 0])
    hours = int(np.argmax(calendar[:, 0] != month))
    if hours == 0:
        raise SystemExit(f"{name}.csv is all of month {month}: that does not tell its first day")

    def begins(year: int) -> datetime:
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return after - timedelta(hours=hours)

    def fits(year: int) -> int:
        start = begins(year)
        days = start.toordinal() + (start.hour + np.arange(len(calendar))) // 24
        return int(np.sum((days - 1) % 7 + 1 == calendar[:, 2]))

    return begins(max(YEARS, key=fits))
