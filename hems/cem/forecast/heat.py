"""How much hot water is drawn from each tank: the balance of its heat over the past. Pure.

What a heater made, less what the tank lost and what it stores more than before, was drawn. Where
the tank's temperature was not kept, it is taken to be midway between its comfort bounds: days then
come out right, hours do not, because a heater runs when it pays and not when somebody showers. So
what a day draws is learned from all days, its course only from those with temperatures; until there
are some it is a usual one.

A house draws nothing: what it loses stands in its loss.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hems.cem.forecast.local import by_day, is_free, local, steps
from hems.cem.forecast.past import Floats, Past, Quantiles
from hems.cem.forecast.weighted import fading, mean, quantiles
from hems.cem.needs import HeatStore
from hems.cem.slots import Slots

SHARES: Final = (0.1, 0.5, 0.9)
_HALF_DAYS: Final = 21.0
_GUESS_DAYS: Final = 3.0
"""How many days what the owner said a day draws counts for."""
_SPREAD: Final = (0.5, 0.85, 1.0, 1.15, 1.6)
"""How days differ from it."""
_COURSE_DAYS: Final = 5.0
"""How many days the usual course of a day counts for."""
_OTHER_KIND: Final = 0.1
"""What a workday counts for on free days, and the other way round."""
_KNOWN: Final = 0.9
"""A day of which less is known says nothing of how much it drew."""
_SMOOTH_H: Final = 1.0
_USUAL: Final = (
    *(1, 1, 1, 1, 2, 5, 12, 14, 9, 6, 4, 4),
    *(5, 4, 3, 3, 4, 6, 9, 11, 10, 7, 4, 2),
)  # fmt: skip
"""Draw by hour of the clock on the wall: showers, the kitchen, the evening."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The heat of one tank over the past.

    Attributes:
        draw_w: By slot, heat drawn; NaN where it cannot be told. Single slots may come out below
            0: temperatures are told in steps.
        measured: Whether temperatures are behind it, by slot.
    """

    draw_w: Floats
    measured: NDArray[np.bool_]


def balance(past: Past, store: HeatStore) -> Balance:
    """Return what was drawn from a tank, by slot of the past.

    Temperatures are those at the ends of slots. Where one is missing the tank is reckoned midway
    between its bounds and what it stores unchanged.
    """
    power_w = past.heats.get(store.device, np.full(past.slots.count, np.nan))
    unknown = np.full(past.slots.count, np.nan)
    told_c = past.heat_temps_c.get(store.device, unknown)
    middle_c = (store.low_c + store.high_c) / 2
    around_c = middle_c if store.surroundings_c is None else store.surroundings_c
    began_c = np.concatenate([unknown[:1], told_c[:-1]])
    mean_c = np.nan_to_num((began_c + told_c) / 2, nan=middle_c)
    stored_w = np.nan_to_num((told_c - began_c) * store.wh_per_k / past.slots.hours)
    lost_w = store.loss_w_per_k * (mean_c - around_c)
    measured = np.isfinite(began_c) & np.isfinite(told_c)
    return Balance(power_w * store.cop - lost_w - stored_w, measured)


def draws(past: Past, store: HeatStore, slots: Slots) -> Quantiles:
    """Return the heat that is going to be drawn from a tank.

    Args:
        past: The home's.
        store: The tank; a house, and whatever cools, draws nothing.
        slots: The coming ones.

    Returns:
        Quantiles in W by slot, never negative.
    """
    if store.surroundings_c is None or store.cop <= 0:
        return Quantiles(SHARES, np.zeros((len(SHARES), slots.count)), "none")
    found = balance(past, store)
    then, step_s = local(past.slots, past.zone), past.slots.step_s
    table, first = by_day(found.draw_w, then, step_s)
    seen, _ = by_day(np.where(found.measured, found.draw_w, np.nan), then, step_s)
    days = first + np.arange(len(table))
    whole = _whole(table)
    free = is_free(days, past.holidays)
    fades = fading((int(then.days.max()) if len(table) else 0) - days.astype(float), _HALF_DAYS)
    when = local(slots, past.zone)
    free_slot = is_free(when.days, past.holidays)
    values = np.zeros((len(SHARES), slots.count))
    for kind in (False, True):
        alike = np.where(free == kind, 1.0, _OTHER_KIND) * fades * whole
        course = _course(seen, alike * _whole(seen), step_s)
        a_day = _a_day(table, alike, store)
        rows = a_day[:, None] * course[steps(when, step_s)][None, :] * (3600.0 / step_s)
        values = np.where(free_slot == kind, rows, values)
    return Quantiles(SHARES, values, "history" if whole.any() else "cold start")


def _whole(table: Floats) -> NDArray[np.bool_]:
    """Return the days of which enough is known."""
    enough: NDArray[np.bool_] = np.isfinite(table).sum(axis=1) >= _KNOWN * table.shape[1]
    return enough


def _a_day(table: Floats, weights: Floats, store: HeatStore) -> Floats:
    """Return quantiles of what a day draws, Wh."""
    counted = weights > 0
    means = np.nanmean(table[counted], axis=1) if counted.any() else np.empty(0)
    days_wh, heavy = np.maximum(means * 24.0, 0.0), weights[counted]
    if store.draw_wh_per_day > 0 or not len(days_wh):
        guesses = max(store.draw_wh_per_day, 0.0) * np.array(_SPREAD)
        days_wh = np.concatenate([guesses, days_wh])
        heavy = np.concatenate([np.full(len(_SPREAD), _GUESS_DAYS / len(_SPREAD)), heavy])
    return quantiles(days_wh, heavy, SHARES)


def _course(table: Floats, weights: Floats, step_s: float) -> Floats:
    """Return the share of a day's draw in each step of the wall clock's day, adding up to 1."""
    columns = table.shape[1]
    hour = np.floor(np.arange(columns) * step_s / 3600.0).astype(np.int64)
    by_hour = np.array(_USUAL, dtype=np.float64)[hour]
    usual: Floats = by_hour / by_hour.sum()
    nothing = np.zeros(columns)
    seen = np.maximum(_smooth(mean(table, weights[:, None], nothing, 1e-9), step_s), 0.0)
    if not seen.any():
        return usual
    trust = weights.sum() / (weights.sum() + _COURSE_DAYS)
    course: Floats = trust * seen / seen.sum() + (1.0 - trust) * usual
    return course


def _smooth(course: Floats, step_s: float) -> Floats:
    """Return a day's course smoothed over an hour either way, round midnight."""
    reach = int(_SMOOTH_H * 3600.0 / step_s)
    weights = 1.0 + reach - np.abs(np.arange(-reach, reach + 1))
    around = np.concatenate([course[len(course) - reach :], course, course[:reach]])
    smooth: Floats = np.convolve(around, weights / weights.sum(), mode="valid")
    return smooth
