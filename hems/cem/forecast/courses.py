"""Past days of load and sun, laid over the coming slots, with what each counts for."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hems.cem.forecast.days import DAY_S, Ints, alike_days, before, resampled, sources, trend
from hems.cem.forecast.past import Floats, Past
from hems.cem.forecast.typical import typical_load, typical_sun
from hems.cem.slots import Slots

FADE_DAYS: Final = 21.0
"""A day so long ago counts for 1/e of yesterday."""
OTHER_DAY: Final = 0.5
"""What a free day counts for on a working day, and the other way round."""
LOAD_MEMORY_S: Final = 2 * 3600.0
"""How far back the load says something of how it will go on."""
SUN_MEMORY_S: Final = 4 * 3600.0
"""The same of the sun."""
ENOUGH_DAYS: Final = 14
"""A home with so many days of its own needs no typical ones."""
KNOWN: Final = 0.5
"""Share of a course that has to be known for it to count."""
LEAST_SPREAD_W: Final = 1.0


@dataclass(frozen=True, slots=True)
class Courses:
    """Ways in which one quantity went on the past days. Powers in W, passive sign.

    Attributes:
        power_w: One row a day, one column a coming slot.
        trend_w: Mean up to each slot, the nearest counting most; NaN where nothing is known.
        present_w: The present; NaN where unknown.
        now_w: Its mean up to the present slot; NaN likewise.
        spread_w: Standard deviation of the quantity over the past, positive.
    """

    power_w: Floats
    trend_w: Floats
    present_w: float
    now_w: float
    spread_w: float


@dataclass(frozen=True, slots=True)
class PastDays:
    """The past days that count.

    Attributes:
        load: The load on them.
        sun: The sun on them.
        weights: What each counts for before one looks at today; positive.
    """

    load: Courses
    sun: Courses
    weights: Floats


def past_days(
    past: Past, slots: Slots, count: int, irradiance_w_m2: Floats | None = None
) -> PastDays:
    """Return the last days' load and sun over the coming slots.

    Args:
        past: What is known.
        slots: The coming slots.
        count: How many days to look at.
        irradiance_w_m2: Expected, by slot; NaN where nobody knows.
    """
    window = before(slots, count + math.ceil(slots.count * slots.step_s / DAY_S))
    load_w = resampled(past.load_w, past.slots, window)
    sun_w = resampled(past.sun_w, past.slots, window)
    rows = sources(window, slots, count, past.zone)
    load = _courses(load_w, rows, past.present_load_w, LOAD_MEMORY_S / slots.step_s)
    rows_sun = sources(window, slots, count)
    sun = _courses(sun_w, rows_sun, past.present_sun_w, SUN_MEMORY_S / slots.step_s)
    if irradiance_w_m2 is not None and past.weather is not None:
        seen = resampled(past.weather.irradiance_w_m2, past.weather.slots, window)[rows_sun]
        sun = replace(sun, power_w=_in_this_weather(sun.power_w, seen, irradiance_w_m2))
    weights = np.exp(-np.arange(count) / FADE_DAYS)
    weights[~alike_days(slots, count, past.zone, past.holidays)] *= OTHER_DAY
    known = np.isfinite(load.power_w).mean(axis=1) >= KNOWN
    days = PastDays(_only(load, known), _only(sun, known), weights[known])
    enough = min(ENOUGH_DAYS, count)
    if days.weights.size < enough:
        latest = before(slots, 2)
        recent = slice(-latest.count, None)
        days = _beside_typical(
            days,
            typical_load(load_w[recent], latest, slots, past.zone),
            typical_sun(sun_w[recent], latest, slots, past.zone),
            1.0 - days.weights.size / enough,
        )
    return PastDays(
        _complete(days.load, days.weights, 0.0, math.inf),
        _complete(days.sun, days.weights, -math.inf, 0.0),
        days.weights,
    )


def _courses(values_w: Floats, rows: Ints, present_w: float | None, memory: float) -> Courses:
    """Lay a series over the coming slots; what is not known is NaN.

    Args:
        values_w: By step of the past window.
        rows: Which of them, one row a day, one column a slot.
        present_w: In the first coming slot; None for what the last step was.
        memory: Of its trend, in steps.
    """
    now_w = float(values_w[-1]) if present_w is None else present_w
    trend_w = trend(np.append(values_w, now_w), memory)
    known = values_w[np.isfinite(values_w)]
    spread_w = max(float(known.std()), LEAST_SPREAD_W) if known.size else LEAST_SPREAD_W
    return Courses(values_w[rows], trend_w[rows], now_w, float(trend_w[-1]), spread_w)


def _in_this_weather(sun_w: Floats, seen: Floats, expected: Floats) -> Floats:
    """Return past days' sun as it would have been in the weather that is expected.

    What a W/m2 gives is found out for each slot from the same time of the past days; the
    difference in irradiance, times that, is added. What is not known changes nothing.

    Args:
        sun_w: One row a day, one column a slot.
        seen: Irradiance then, W/m2.
        expected: Irradiance to come, by slot.
    """
    both = np.isfinite(sun_w) & np.isfinite(seen)
    light = np.where(both, seen, 0.0).sum(axis=0)
    gain = np.where(both, sun_w, 0.0).sum(axis=0) / np.where(light > 0.0, light, np.inf)
    change = gain * (expected - seen)
    return sun_w + np.where(np.isfinite(change), change, 0.0)


def _only(courses: Courses, which: NDArray[np.bool_]) -> Courses:
    """Return some of the days."""
    return replace(courses, power_w=courses.power_w[which], trend_w=courses.trend_w[which])


def _beside_typical(days: PastDays, load_w: Floats, sun_w: Floats, weight: float) -> PastDays:
    """Return the days and typical ones, which count for `weight` together."""
    part = weight / load_w.shape[0]
    return PastDays(
        _and(days.load, load_w),
        _and(days.sun, sun_w),
        np.append(days.weights, np.full(load_w.shape[0], part)),
    )


def _and(courses: Courses, typical_w: Floats) -> Courses:
    """Return courses and typical ones, which have no trend: they are like every day."""
    return replace(
        courses,
        power_w=np.vstack((courses.power_w, typical_w)),
        trend_w=np.vstack((courses.trend_w, np.full_like(typical_w, np.nan))),
    )


def _complete(courses: Courses, weights: Floats, least_w: float, most_w: float) -> Courses:
    """Return courses without gaps, within bounds, the present in their first column.

    A gap is filled with the mean of the other days at that slot, or 0 where there is none.
    """
    known = np.isfinite(courses.power_w)
    size = weights @ known
    total = weights @ np.where(known, courses.power_w, 0.0)
    mean_w = total / np.where(size > 0.0, size, np.inf)
    power_w = np.where(known, courses.power_w, mean_w)
    power_w[:, 0] = courses.present_w if math.isfinite(courses.present_w) else mean_w[0]
    return replace(courses, power_w=np.clip(power_w, least_w, most_w))
