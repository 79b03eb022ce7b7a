"""When each car is at its charger and what it takes, from its past stays. Pure.

A car that nothing is known of and that is plugged in now is taken to stay until 07:00 of the home's
clock if the next 07:00 is on a workday, else until 10:00, and is not looked for again; one that is
not plugged in is not expected. Each past day then counts as one sample against the two that this
guess counts for, so that it fades within a week or two.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hems.cem.forecast.local import DAY_S, Ints, Local, by_day, is_free, local, steps
from hems.cem.forecast.past import CarOutlook, CarPast, Floats, Past, Quantiles
from hems.cem.forecast.weighted import fading, mean, quantiles
from hems.cem.slots import Slots

SHARES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_GUESS: Final = 2.0
"""How many days the first guess counts for."""
_HALF_DAYS: Final = 30.0
_WORKDAY_S: Final = 7 * 3600
_FREE_DAY_S: Final = 10 * 3600
_UNUSUAL_H: Final = 6.0
"""Where a car is at an hour at which it never was tells half as much after so long."""
_EARLY: Final = 0.25
"""It is expected to leave when one stay in four has ended: too early costs less than too late."""
_OTHER_KIND: Final = 0.02
"""What a day of the other kind, workday or not, counts for when nothing better tells of leaving."""
_HALF: Final = 0.5
_USUAL_WH: Final = (3000.0, 7000.0, 12000.0, 20000.0, 35000.0)
"""What one stay may take before anything is known: a short way to work up to half a battery."""
_LEAST_WH: Final = 200.0
"""A stay that took less was none for charging."""


@dataclass(frozen=True, slots=True)
class _Days:
    """A car's past laid beside the coming slots, so many days ago, by the clock on the wall.

    Attributes:
        there: One row a day back from 1, one column a slot: share plugged in; NaN if unknown.
        alike: Whether that day is of the slot's kind, workday or free.
        then: By row, how it was at the hour it is now.
        weights: By row, how much a day counts for its age.
    """

    there: Floats
    alike: Floats
    then: Floats
    weights: Floats


def foretell(past: Past, device: str, slots: Slots, *, plugged: bool | None = None) -> CarOutlook:
    """Return when a car is expected at its charger, and what it will take in a stay.

    Args:
        past: The home's.
        device: Id of the charger.
        slots: The coming ones, the first of them now.
        plugged: Whether a car is there now; None for as it was in the past's last slot.
    """
    car = past.cars.get(device, CarPast(np.empty(0), np.empty(0)))
    if plugged is None:
        plugged = bool(len(car.plugged) and car.plugged[-1] >= _HALF)
    when = local(slots, past.zone)
    days = _laid_out(past, car, slots, when)
    leaves_guess = _guess(when, past.holidays) if plugged else 0
    return CarOutlook(
        _present(days, slots, leaves_guess, plugged=plugged),
        _leaves_at(days, slots, leaves_guess, plugged=plugged),
        _need(car, past.slots),
    )


def _laid_out(past: Past, car: CarPast, slots: Slots, when: Local) -> _Days:
    then = local(past.slots, past.zone)
    step_s = past.slots.step_s
    table, first = by_day(car.plugged, then, step_s)
    count = max(int(when.days[0]) - first, 0) if slots.count and len(table) else 0
    back = np.arange(1, count + 1)
    rows = when.days[None, :] - back[:, None]
    places = np.broadcast_to(steps(when, step_s), rows.shape)
    inside = rows - first < len(table)
    there = np.where(inside, table[np.where(inside, rows - first, 0), places], np.nan)
    if not count:
        there = np.empty((0, slots.count))
    free = is_free(when.days, past.holidays)
    alike = is_free(rows.ravel(), past.holidays).reshape(rows.shape) == free
    at_now = there[:, 0] if slots.count else np.empty(0)
    return _Days(there, alike.astype(np.float64), at_now, fading(back.astype(float), _HALF_DAYS))


def _guess(when: Local, holidays: frozenset[int]) -> int:
    """Return the first slot in which a car of which nothing is known is away."""
    free = is_free(when.days, holidays)
    out = np.where(free, _FREE_DAY_S, _WORKDAY_S)
    after: Ints = np.flatnonzero((when.seconds >= out) & (np.roll(when.seconds < out, 1)))
    after = after[after > 0]
    return int(after[0]) if len(after) else len(when.days)


def _present(days: _Days, slots: Slots, leaves_guess: int, *, plugged: bool) -> Floats:
    guess = np.where(np.arange(slots.count) < leaves_guess, 1.0, 0.0)
    counted = days.weights[:, None] * days.alike
    usual = mean(days.there, counted, guess, _GUESS)
    faded = np.exp2(-np.arange(slots.count) * slots.hours / _UNUSUAL_H)
    expected = np.maximum(usual, faded * guess) if plugged else usual * (1.0 - faded)
    so = days.then >= _HALF if plugged else days.then < _HALF
    present = mean(days.there, counted * so[:, None], expected, _GUESS)
    present[:1] = 1.0 if plugged else 0.0
    return np.clip(present, 0.0, 1.0)


def _leaves_at(days: _Days, slots: Slots, leaves_guess: int, *, plugged: bool) -> float | None:
    """Return when it leaves next: a low quantile of when it left on days that were so far alike."""
    ends: list[float] = [float(leaves_guess)] if plugged else []
    weights: list[float] = [_GUESS] if plugged else []
    for there, alike, then, weight in zip(
        days.there, days.alike, days.then, days.weights, strict=True
    ):
        if np.isnan(then) or (then >= _HALF) is not np.bool_(plugged):
            continue
        left = _left(there)
        if left is not None:
            kind = alike[min(left, slots.count - 1)] > 0
            ends.append(float(left))
            weights.append(weight * (1.0 if kind else _OTHER_KIND))
    if not ends:
        return None
    slot = round(quantiles(np.array(ends), np.array(weights), (_EARLY,))[0])
    return None if slot >= slots.count else slots.start + slot * slots.step_s


def _left(there: Floats) -> int | None:
    """Return the slot in which a car had left; the count if it never did, None if unknown."""
    here = there >= _HALF
    known = ~np.isnan(there)
    gone = np.flatnonzero(known[1:] & ~here[1:] & here[:-1])
    if len(gone):
        return int(gone[0]) + 1
    return len(there) if known.all() else None


def stays_wh(car: CarPast, slots: Slots) -> tuple[Floats, Floats]:
    """Return what was taken in each stay that is over and was seen from its beginning.

    A gap goes on as what was before it.

    Args:
        car: What its charger has seen.
        slots: When.

    Returns:
        The energies, Wh, and when each stay ended, days before the end of the slots.
    """
    known = ~np.isnan(car.plugged)
    last = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
    here = (last >= 0) & (car.plugged[last] >= _HALF)
    edges = np.flatnonzero(np.diff(here.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2], edges[1::2]
    seen = (begins > 0) & (ends < len(here))
    upto = np.concatenate([[0.0], np.cumsum(np.nan_to_num(np.maximum(car.power_w, 0.0)))])
    taken_wh = (upto[ends[seen]] - upto[begins[seen]]) * slots.hours
    charged = taken_wh >= _LEAST_WH
    ago = (len(here) - ends[seen]) * slots.step_s / DAY_S
    return taken_wh[charged], ago[charged]


def _need(car: CarPast, slots: Slots) -> Quantiles:
    taken_wh, ago = stays_wh(car, slots)
    usual = np.full(len(_USUAL_WH), _GUESS / len(_USUAL_WH))
    values = quantiles(
        np.concatenate([np.array(_USUAL_WH), taken_wh]),
        np.concatenate([usual, fading(ago, _HALF_DAYS)]),
        SHARES,
    )
    return Quantiles(SHARES, values[:, None], "history" if len(taken_wh) else "cold start")
