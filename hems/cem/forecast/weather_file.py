"""The weather as a file or an answer over HTTP: JSON of hourly values, checked on the way in.

The form is that of Open-Meteo's forecast answers, of which these fields are read:

    {"utc_offset_seconds": 3600,
     "hourly": {"time": ["2026-11-21T00:00", "2026-11-21T01:00", ...],
                "shortwave_radiation": [0.0, 12.5, ...],
                "temperature_2m": [4.1, 3.9, ...]}}

`time` is local by `utc_offset_seconds` (0 where it is left out), or has its own offset ("Z",
"+01:00"), or is a count of UTC epoch seconds; its steps are equal, 5 minutes to 3 hours, side by
side. One of the two rows of values may be missing, and any value may be null. Radiation is the mean
of the hour that ends at `time`, in W/m2 on the horizontal plane; temperature is that at `time`, in
degC.

Needs no NumPy: the controller's process reads it.
"""

import json
import math
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Final

from hems.cem.planner.question import WeatherTold

_RADIATION: Final = "shortwave_radiation"
_TEMPERATURE: Final = "temperature_2m"
_RANGES: Final = {_RADIATION: (-20.0, 1600.0), _TEMPERATURE: (-90.0, 65.0)}
"""What can be; a night's radiation is told a little below 0 by some."""
_UNITS: Final = {_RADIATION: "W/m²", _TEMPERATURE: "°C"}
_LEAST_STEP_S: Final = 300.0
_MOST_STEP_S: Final = 3 * 3600.0
_MOST_ROWS: Final = 20_000
_MOST_OFFSET_S: Final = 86_399


class WeatherError(Exception):
    """What a source told is no weather; `str()` says where in it and why."""


def parse(text: str, told_at: float) -> WeatherTold:
    """Return the weather that a text tells.

    Steps begin where an hour of radiation begins, one before the first `time`; the temperature of a
    step is the mean of that at its ends.

    Args:
        text: JSON, as above.
        told_at: When the source said so, UTC epoch seconds.

    Raises:
        WeatherError: The text is not of this form.
    """
    hourly, offset_s, units = _hourly(text)
    times = _times(hourly.get("time"), offset_s)
    step_s = _step_s(times)
    rows = {name: _row(hourly, name, len(times), units) for name in _RANGES}
    if rows[_RADIATION] is None and rows[_TEMPERATURE] is None:
        raise WeatherError(f"hourly has neither {_RADIATION} nor {_TEMPERATURE}")
    radiation, temperature = rows[_RADIATION] or (), rows[_TEMPERATURE] or ()
    return WeatherTold(
        times[0] - step_s,
        step_s,
        tuple(value if math.isnan(value) else max(value, 0.0) for value in radiation),
        _over_steps(temperature),
        told_at,
    )


def _over_steps(ends: tuple[float, ...]) -> tuple[float, ...]:
    """Return means over steps of what is told at their ends; where one end is NaN, the other's."""
    if not ends:
        return ()
    means = [
        late if math.isnan(early) else early if math.isnan(late) else (early + late) / 2
        for early, late in pairwise(ends)
    ]
    return (ends[0], *means)


def _hourly(text: str) -> tuple[dict[str, object], float, dict[str, object]]:
    try:
        found: object = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WeatherError(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise WeatherError("not a JSON object")
    if found.get("error") is True:
        raise WeatherError(f"the source says: {str(found.get('reason'))[:200]}")
    hourly, units = found.get("hourly"), found.get("hourly_units", {})
    if not isinstance(hourly, dict):
        raise WeatherError("no object hourly")
    if not isinstance(units, dict):
        raise WeatherError("hourly_units is not an object")
    offset_s = _number(found.get("utc_offset_seconds", 0), "utc_offset_seconds")
    if math.isnan(offset_s) or abs(offset_s) > _MOST_OFFSET_S:
        raise WeatherError("utc_offset_seconds is not within a day")
    return hourly, offset_s, units


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _times(found: object, offset_s: float) -> list[float]:
    if not isinstance(found, list):
        raise WeatherError("no list hourly.time")
    if not 2 <= len(found) <= _MOST_ROWS:  # noqa: PLR2004 - a step has two ends
        raise WeatherError(f"hourly.time has {len(found)} entries, not 2 to {_MOST_ROWS}")
    return [_time(entry, f"hourly.time[{i}]", offset_s) for i, entry in enumerate(found)]


def _time(found: object, where: str, offset_s: float) -> float:
    if not isinstance(found, str):
        epoch_s = _number(found, where)
        if not 0 < epoch_s < 1e11:  # noqa: PLR2004 - the year 5138
            raise WeatherError(f"{where} is no time")
        return epoch_s
    try:
        when = datetime.fromisoformat(found)
        if when.tzinfo is None:
            when = when.replace(tzinfo=timezone(timedelta(seconds=offset_s)))
        return when.timestamp()
    except (ValueError, OverflowError) as error:
        raise WeatherError(f"{where} is no time: {found[:40]!r}") from error


def _step_s(times: list[float]) -> float:
    step_s = times[1] - times[0]
    if not _LEAST_STEP_S <= step_s <= _MOST_STEP_S:
        raise WeatherError(f"hourly.time[1] is {step_s:g} s after the first, not 5 min to 3 h")
    for i, (early, late) in enumerate(pairwise(times), start=1):
        if late - early != step_s:
            raise WeatherError(
                f"hourly.time[{i}] is {late - early:g} s after the one before, not {step_s:g} s"
            )
    return step_s


def _row(
    hourly: dict[str, object], name: str, count: int, units: dict[str, object]
) -> tuple[float, ...] | None:
    found = hourly.get(name)
    if found is None:
        return None
    if not isinstance(found, list):
        raise WeatherError(f"hourly.{name} is no list")
    if len(found) != count:
        raise WeatherError(f"hourly.{name} has {len(found)} entries and hourly.time {count}")
    unit = units.get(name, _UNITS[name])
    if unit != _UNITS[name]:
        raise WeatherError(f"hourly.{name} is in {str(unit)[:20]!r}, not {_UNITS[name]!r}")
    return tuple(_value(entry, name, i) for i, entry in enumerate(found))


def _value(found: object, name: str, i: int) -> float:
    if found is None:
        return math.nan
    where = f"hourly.{name}[{i}]"
    value, (least, most) = _number(found, where), _RANGES[name]
    if not least <= value <= most:
        raise WeatherError(f"{where} is {value:g}, not within {least:g} to {most:g}")
    return value


def _number(found: object, where: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise WeatherError(f"{where} is no number")
    try:
        value = float(found)
    except OverflowError as error:
        raise WeatherError(f"{where} is too great") from error
    if not math.isfinite(value):
        raise WeatherError(f"{where} is too great")
    return value
