"""What a car has drawn since it was plugged in: followed from reading to reading, pure."""

import math
from dataclasses import dataclass, replace
from typing import Final

from der.model import Reading

_GAP_S: Final = 60.0
"""Over a longer silence power alone tells nothing of the energy; a register still does."""
_COUNTS_WH: Final = 500.0
"""A stay that drew less tells neither what the car usually takes nor how fast."""
_CHARGES_W: Final = 500.0
"""A car that draws less than this does not show what it could take."""
_STEADY_SHARE: Final = 0.05
_MOST_STAYS: Final = 12
_MOST_JUMP_WH: Final = 250e3
"""No car takes more: a register that jumps by more is another one."""
_USUAL: Final = 0.75
"""Share of the stays that needed no more than what is called usual."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A car at its charger, or none.

    Attributes:
        plugged: Whether a car is there; None while that is not known.
        taken_wh: What it has drawn since it came.
        register_wh: The charger's own running total at the last reading; None if it has none.
        power_w: Its power at the last reading.
        at: When that was, UTC epoch seconds.
        before: What it drew in each of the last stays, Wh, oldest first.
        full_w: The greatest power that it has drawn where it was let have all; 0 where it was not.
    """

    plugged: bool | None = None
    taken_wh: float = 0.0
    register_wh: float | None = None
    power_w: float = 0.0
    at: float = -math.inf
    before: tuple[float, ...] = ()
    full_w: float = 0.0

    @property
    def known_wh(self) -> float | None:
        """What the car has drawn; None where nobody can tell, and 0 where none is there."""
        return None if self.plugged is None else self.taken_wh

    @property
    def usual_wh(self) -> float | None:
        """What it takes in a stay, as a rule: most of the last ones took no more."""
        if not self.before:
            return None
        return sorted(self.before)[math.ceil(_USUAL * len(self.before)) - 1]


def followed(stay: Stay, reading: Reading, *, free: bool = False) -> Stay:
    """Return the stay after a reading; one that was worked in already changes nothing.

    The charger's running total counts where it has one: it also knows what was drawn while nobody
    looked. Where it has none, has begun anew or is another's, the power does.

    Args:
        stay: As it was.
        reading: What the charger says.
        free: Whether the car may draw all that the charger gives.
    """
    if reading.at == stay.at or reading.connected is None:
        return stay
    now = replace(
        stay,
        plugged=reading.connected,
        register_wh=_counted_wh(reading),
        power_w=max(reading.power_w, 0.0),
        at=reading.at,
        full_w=_full_w(stay, reading, free=free),
    )
    if not reading.connected:
        return _left(stay, now)
    if not stay.plugged:
        return replace(now, taken_wh=0.0)
    return replace(now, taken_wh=stay.taken_wh + _drawn_wh(stay, now))


def _counted_wh(reading: Reading) -> float | None:
    total_wh = reading.energy_import_wh
    return total_wh if total_wh is not None and math.isfinite(total_wh) else None


def _full_w(stay: Stay, reading: Reading, *, free: bool) -> float:
    power_w = reading.power_w
    steady = abs(power_w - stay.power_w) <= _STEADY_SHARE * power_w  # it ramps up and tapers off
    # One that came all but full tapers off from the first minute: that shows nothing. One that was
    # held back shows it, though, where it takes more than was known.
    lets = free or power_w > stay.full_w > 0
    shows = lets and reading.connected and power_w >= _CHARGES_W and steady
    return max(stay.full_w, power_w) if shows and stay.taken_wh >= _COUNTS_WH else stay.full_w


def _left(stay: Stay, now: Stay) -> Stay:
    if stay.plugged and stay.taken_wh >= _COUNTS_WH:
        now = replace(now, before=(*stay.before, stay.taken_wh)[-_MOST_STAYS:])
    return replace(now, taken_wh=0.0)


def _drawn_wh(stay: Stay, now: Stay) -> float:
    old_wh, new_wh = stay.register_wh, now.register_wh
    if old_wh is not None and new_wh is not None and 0 <= new_wh - old_wh <= _MOST_JUMP_WH:
        return new_wh - old_wh
    passed_s = now.at - stay.at  # negative where the clock was set back
    return stay.power_w * passed_s / 3600.0 if 0 < passed_s <= _GAP_S else 0.0
