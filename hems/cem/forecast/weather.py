"""What a source of weather is worth for the coming slots: how much it covers, and how old it is."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from der.sentence import say
from hems.cem.forecast.days import resampled
from hems.cem.forecast.past import Floats, Weather
from hems.cem.planner.question import WeatherTold
from hems.cem.slots import Slots

STALE_S: Final = 6 * 3600.0
"""What was told longer ago is not gone by; the sky has changed since."""
_DAY_S: Final = 86400.0
_KEPT_S: Final = 60 * _DAY_S
_AHEAD_S: Final = 16 * _DAY_S
"""No source tells more; a time beyond is a mistake, and is not made room for."""
_LEARNED_DAYS: Final = 7.0
"""With fewer days behind it the weather moves the forecast of the sun but little."""
_LIKE_DAYS: Final = 3
"""Without a source that tells it, it is as warm as it was at that hour on so many days."""
_NOWHERE_C: Final = 10.0
"""What it is taken to be outside where nobody ever told."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The weather of the coming slots.

    Attributes:
        irradiance_w_m2: By slot; NaN where it is to be forecast from the past alone.
        outdoor_c: Temperature outside, by slot; always finite.
        measured_c: Whether any of that rests on what a source told.
        guessed_c: Whether some of it is taken from the last days.
        seen_days: How many days of the past its radiation is known of: what a panel makes of it
            can only be learned from those.
        notes: What the sun's forecast lacks, one clause each.
    """

    irradiance_w_m2: Floats
    outdoor_c: Floats
    measured_c: bool
    guessed_c: bool = False
    seen_days: float = 0.0
    notes: tuple[str, ...] = ()


def expected(weather: Weather | None, slots: Slots, now: float) -> Expected:
    """Return the weather of the coming slots as far as it can be gone by.

    Radiation is used while it is fresh, slot by slot. A temperature too old still tells more than
    none: without a fresh one the last days' at the same hour is taken, then their mean.

    Args:
        weather: What was told; None without a source.
        slots: The coming ones.
        now: UTC epoch seconds.
    """
    nothing = np.full(slots.count, np.nan)
    if weather is None or not weather.slots.count:
        return Expected(nothing, np.full(slots.count, _NOWHERE_C), measured_c=False)
    light = np.maximum(_over(weather.irradiance_w_m2, weather.slots, slots), 0.0)
    warm = _over(weather.outdoor_c, weather.slots, slots)
    notes: list[str] = []
    age_s = now - weather.told_at
    if age_s > STALE_S:
        notes.append(
            say(
                "the weather was told {hours:.0f} h ago: the sun by history alone",
                hours=age_s / 3600,
            )
        )
        light, warm = nothing, nothing
    elif np.isnan(light).any() and np.isfinite(weather.irradiance_w_m2).any():
        covered = float(np.isfinite(light).sum()) * slots.hours
        notes.append(
            say(
                "the weather tells of {hours:.0f} h ahead: the sun beyond by history alone",
                hours=covered,
            )
        )
    told_past = np.isfinite(weather.irradiance_w_m2[: max(weather.slots.at(now), 0)])
    seen_days = float(told_past.sum()) * weather.slots.step_s / _DAY_S
    if seen_days < _LEARNED_DAYS and np.isfinite(light).any():
        notes.append(say("too little is known of past radiation: the sun mostly by history"))
    known = bool(np.isfinite(weather.outdoor_c).any())
    guessed = known and bool(np.isnan(warm).any())
    if guessed:
        warm = np.where(np.isnan(warm), _as_lately(weather, slots, now), warm)
    outdoor_c = np.nan_to_num(warm, nan=_NOWHERE_C)
    return Expected(light, outdoor_c, known, guessed, seen_days, tuple(notes))


def merged(known: Weather | None, told: WeatherTold, now: float) -> Weather:
    """Return what was known of past and future with what is told now laid over it.

    So a source that tells of the future alone comes to have a past, as it was told last.

    Args:
        known: What was known; None for nothing.
        told: By the source; a row may be empty.
        now: UTC epoch seconds; what lies more than 60 days back is left out.
    """
    count = max(len(told.irradiance_w_m2), len(told.outdoor_c))
    new = Slots(told.start, told.step_s, count)
    begin, end = new.start, new.end
    if known is not None and known.slots.count:
        begin, end = min(begin, known.slots.start), max(end, known.slots.end)
    begin, end = max(begin, now - _KEPT_S), min(end, now + _AHEAD_S)
    first = int(np.ceil((begin - new.start) / new.step_s))
    last = int(np.floor((end - new.start) / new.step_s))
    every = Slots(new.start + first * new.step_s, new.step_s, max(last - first, 0))
    light, warm = np.full(every.count, np.nan), np.full(every.count, np.nan)
    if known is not None:
        light = resampled(known.irradiance_w_m2, known.slots, every)
        warm = resampled(known.outdoor_c, known.slots, every)
    return Weather(
        every,
        _laid_over(light, told.irradiance_w_m2, first),
        _laid_over(warm, told.outdoor_c, first),
        told.told_at,
    )


def _laid_over(values: Floats, told: tuple[float, ...], first: int) -> Floats:
    """Return values with what is told in place of them; that begins at `-first`."""
    laid = np.full(len(values), np.nan)
    places = np.arange(len(told)) - first
    inside = (places >= 0) & (places < len(values))
    laid[places[inside]] = np.array(told, dtype=np.float64)[inside]
    return np.where(np.isnan(laid), values, laid)


def _over(values: Floats, of: Slots, to: Slots) -> Floats:
    """Return means over other steps of time; finer ones lie on the line between the given."""
    if to.step_s >= of.step_s:
        return resampled(values, of, to)
    middles = np.arange(of.count) + 0.5
    wanted = ((to.start - of.start) + to.step_s * (np.arange(to.count) + 0.5)) / of.step_s
    line = np.interp(wanted, middles, values)
    step = np.floor(wanted).astype(np.int64)
    inside = (step >= 0) & (step < of.count)
    own = np.where(inside, values[np.clip(step, 0, of.count - 1)], np.nan)
    # Beside a step of which nothing is known there is no line: its neighbour is taken as it is.
    return np.where(np.isnan(line) | np.isnan(own), own, line)


def _as_lately(weather: Weather, slots: Slots, now: float) -> Floats:
    """Return the mean of the last known days at the same hour; else of all that is known."""
    values, of = weather.outdoor_c, weather.slots
    past = np.where(np.arange(of.count) <= of.at(now), values, np.nan)
    told = np.flatnonzero(np.isfinite(past))
    if not len(told):
        return np.full(slots.count, float(np.nanmean(values)))
    until = of.start + (told[-1] + 1) * of.step_s
    most_back = min((slots.end - until) // _DAY_S + 1, _KEPT_S // _DAY_S) + _LIKE_DAYS
    rows = np.array(
        [
            _over(past, of, Slots(slots.start - k * _DAY_S, slots.step_s, slots.count))
            for k in range(1, max(int(most_back), 1) + 1)
        ]
    )
    known = np.isfinite(rows)
    known &= np.cumsum(known, axis=0) <= _LIKE_DAYS
    count = known.sum(axis=0)
    total = np.where(known, rows, 0.0).sum(axis=0)
    recent = past[max(told[-1] - int(_DAY_S / of.step_s), 0) : told[-1] + 1]
    return np.where(count > 0, total / np.maximum(count, 1), float(np.nanmean(recent)))
