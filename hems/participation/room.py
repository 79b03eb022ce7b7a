"""What the home could do for a programme at once: the room that its devices have; pure."""

from dataclasses import dataclass
from typing import Final

from der.model import Control, Quality
from hems.image import Image
from programs.rules import SHEDDABLE

_FULL: Final = 0.999
_EMPTY_BAND: Final = 0.001


@dataclass(frozen=True, slots=True)
class Room:
    """By how much the net power could change at once.

    Attributes:
        down_w: Lower, never negative.
        up_w: Higher, by what batteries can take.
        energy_wh: What batteries can give until their reserve; None if no battery says.
    """

    down_w: float = 0.0
    up_w: float = 0.0
    energy_wh: float | None = None


def room(image: Image, reserve: float) -> Room:
    """Return the room of the home's controllable devices.

    Args:
        image: What they said.
        reserve: State of charge that stays with the owner.
    """
    down_w = up_w = 0.0
    energy_wh: float | None = None
    for state in image.devices.values():
        reading = state.reading
        if reading is None or state.quality is not Quality.GOOD:
            continue
        if state.spec.control in SHEDDABLE:
            down_w += max(reading.power_w, 0.0)
        elif state.spec.control is Control.TARGET:
            soc, capacity_wh = reading.soc, reading.capacity_wh
            if soc is None or soc > reserve + _EMPTY_BAND:
                down_w += max(reading.power_w - state.spec.min_w, 0.0)
            if soc is None or soc < _FULL:
                up_w += max(state.spec.max_w - reading.power_w, 0.0)
            if soc is not None and capacity_wh is not None:
                energy_wh = (energy_wh or 0.0) + max(soc - reserve, 0.0) * capacity_wh
    return Room(down_w, up_w, energy_wh)
