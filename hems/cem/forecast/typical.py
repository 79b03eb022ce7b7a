"""Home and sun before they have a past: a typical day, as large as what was seen."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from hems.cem.forecast.days import before
from hems.cem.forecast.past import Floats
from hems.cem.slots import Slots

LOAD_W: Final = (
    *(230, 210, 200, 200, 210, 260, 380, 450, 420, 380, 370, 390),
    *(430, 400, 370, 370, 420, 560, 690, 710, 660, 560, 420, 300),
)
"""A household's mean load by hour of the local clock: 10 kWh a day, most of it in the evening."""
SUN_HOURS: Final = (7.0, 18.0)
"""When the sun shines, by the local clock, where nobody has seen it yet."""
FACTORS: Final = (1 / 3, 1.0, 3.0)
"""How typical days differ, as factors of the middle one."""
TRUST_DAYS: Final = 0.25
"""What the typical load's own size is worth against that of so much of a day seen."""


def typical_load(seen_w: Floats, of: Slots, slots: Slots, zone: ZoneInfo) -> Floats:
    """Return the loads of typical days, W, one row for each of `FACTORS`, one column a slot.

    Args:
        seen_w: What was seen; NaN where unknown.
        of: Its slots.
        slots: Those wanted.
        zone: Where the home is.
    """
    own = TRUST_DAYS * float(np.mean(LOAD_W)) * before(of, 1).count
    size = _size(seen_w, _load(_hours(of, zone)), own, own)
    return np.outer(FACTORS, size * _load(_hours(slots, zone)))


def typical_sun(seen_w: Floats, of: Slots, slots: Slots, zone: ZoneInfo) -> Floats:
    """Return the sun of typical days likewise, W, never positive; none where none was seen."""
    size = _size(seen_w, _sun(_hours(of, zone)), 0.0, 1e-6)
    return np.tile(-size * _sun(_hours(slots, zone)), (len(FACTORS), 1))


def _hours(slots: Slots, zone: ZoneInfo) -> Floats:
    """Return the hour of the local clock at the middle of each slot, 0 to 24, with its fraction."""
    middles = [datetime.fromtimestamp(start + slots.step_s / 2, zone) for start in slots]
    return np.array([m.hour + m.minute / 60.0 + m.second / 3600.0 for m in middles])


def _load(hours: Floats) -> Floats:
    """Return the typical load at hours of the clock, W."""
    return np.interp(hours - 0.5, np.arange(24.0), LOAD_W, period=24.0)


def _sun(hours: Floats) -> Floats:
    """Return the sun's course at hours of the clock, as a share of its height."""
    rises, sets = SUN_HOURS
    arc = np.clip((hours - rises) / (sets - rises), 0.0, 1.0)
    course: Floats = np.sin(np.pi * arc)
    return course


def _size(seen_w: Floats, shape: Floats, own: float, trust: float) -> float:
    """Return what the shape is multiplied by to be as large as what was seen, and as `own`.

    Args:
        seen_w: NaN where unknown.
        shape: At the same times.
        own: Sum that counts as seen beside it.
        trust: The shape's sum that belongs to it.
    """
    known = np.isfinite(seen_w)
    return (float(np.abs(seen_w[known]).sum()) + own) / (float(shape[known].sum()) + trust)
