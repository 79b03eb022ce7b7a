"""From what devices measured to what cannot be controlled and what the sun could give: pure.

All arrays run over the same slots; W, passive sign; NaN where nothing was measured.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from hems.cem.forecast.past import Floats

_FAINT: Final = 0.1
"""An inverter slept if before it fell silent, and after, it gave less than this of its best."""
_AROUND_DAYS: Final = 15
"""How far the clear sky of a season reaches, either way."""
_NEAR_H: Final = 6.0
"""How far the clearness of the sky is carried over slots that tell nothing of it."""
_TWILIGHT: Final = 0.05
"""Below this share of the best clear sky its ratio means nothing."""


def base_load(net_w: Floats, others: Sequence[Floats]) -> Floats:
    """Return what cannot be controlled: the meter less all that is known by itself.

    Never below 0: devices and meter are not read at the same moment. NaN where one is missing.
    """
    load_w = net_w - sum(others, np.zeros_like(net_w))
    return np.maximum(load_w, 0.0)


def settled(power_w: Floats, gone_after: int) -> Floats:
    """Return a device's power with 0 where it was not there: before it was added, and once lost.

    What it drew before cannot be told from the load, and is part of it. A gap shorter than
    `gone_after` slots stays one; a longer one is taken for a device that is switched off or has
    been removed.
    """
    filled = power_w.copy()
    for begin, end in _gaps(power_w):
        if begin == 0 or end - begin >= gone_after:
            filled[begin:end] = 0.0
    return filled


def woken(sun_w: Floats, per_day: int) -> Floats:
    """Return PV with 0 where its inverter slept: silent for up to a day between two faint powers.

    Most inverters are switched off by the night and answer nobody.
    """
    if not np.isfinite(sun_w).any():
        return sun_w
    faint = _FAINT * np.nanmax(np.abs(sun_w))
    filled = sun_w.copy()
    for begin, end in _gaps(sun_w):
        ends = [sun_w[i] for i in (begin - 1, end) if 0 <= i < len(sun_w)]
        if end - begin <= per_day and all(abs(w) <= faint for w in ends):
            filled[begin:end] = 0.0
    return filled


def could_have(sun_w: Floats, held: NDArray[np.bool_], per_day: int) -> Floats:
    """Return what PV could have given where it was held back.

    The best of the same time of day (UTC, as the sun goes) within two weeks is the clear sky; how
    clear it was is taken from the slots before and after that were not held back, or, if none of
    them is near, from how clear it mostly is. Never less than what was measured; where there is no
    clear sky to go by, that is all that is known.

    Args:
        sun_w: Measured, never positive.
        held: Whether it was held back.
        per_day: Slots in a day.
    """
    if not held.any():
        return sun_w
    given_w = -sun_w
    free = np.isfinite(given_w) & ~held
    clear_w = _clear_sky(np.where(free, given_w, 0.0), per_day)
    told = np.flatnonzero(free & (clear_w > _TWILIGHT * clear_w.max()))
    ratio = np.full_like(given_w, np.nan)
    if len(told):
        here = np.arange(len(given_w))
        after = told[np.minimum(np.searchsorted(told, here), len(told) - 1)]
        before = told[np.maximum(np.searchsorted(told, here, side="right") - 1, 0)]
        near = np.minimum(np.abs(after - here), np.abs(here - before)) <= _NEAR_H * per_day / 24
        ratios = given_w[told] / clear_w[told]
        ratio = np.where(near, np.interp(here, told, ratios), np.median(ratios))
    found_w = np.fmax(given_w, np.minimum(ratio, 1.0) * clear_w)
    return -np.where(held, found_w, given_w)


def _clear_sky(given_w: Floats, per_day: int) -> Floats:
    """Return the most that was given at the same time of day within the days around."""
    count = len(given_w)
    days = -(-count // per_day)
    by_day = np.zeros((days + 2 * _AROUND_DAYS, per_day))
    by_day[_AROUND_DAYS : _AROUND_DAYS + days].flat[:count] = given_w
    best: Floats = sliding_window_view(by_day, 2 * _AROUND_DAYS + 1, axis=0).max(axis=-1)
    return best.ravel()[:count]


def _gaps(values: Floats) -> list[tuple[int, int]]:
    """Return where runs of NaN begin and end."""
    edges = np.flatnonzero(np.diff(np.isnan(values), prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
