"""How much an order asks; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hems.headend.modes import Mode, Value

_HOUR_S: Final = 3_600.0
_WHOLE: Final = 100.0
_LIMITS: Final = (Mode.IMPORT, Mode.EXPORT, Mode.GENERATION, Mode.LOAD)
_AMOUNTS: Final = (Mode.SHED, Mode.TARGET_W, Mode.STORAGE_W)
_SHARES: Final = (Mode.MAX_PERCENT, Mode.DUTY)
_LEFT: Final = (Mode.CONNECT, Mode.ENERGIZE)
_COMFORT: Final = (Mode.COOLING, Mode.HEATING)


@dataclass(frozen=True, slots=True)
class Size:
    """What an order asks of each home.

    Attributes:
        asked_w: The change of power that it names, W: of a reduction its amount, of a set-point
            how far it is from rest, of an energy its mean over the event; 0 where it names none.
        moves_w: How much power a home would change at most, W, as far as that can be told.
        disconnects: Whether it asks the home, or its devices, to leave the grid.
    """

    asked_w: float
    moves_w: float
    disconnects: bool


def size_of(values: Mapping[Mode, Value], duration_s: float, home_w: float) -> Size:
    """Return how much is asked of each home.

    What several modes ask is not added up: they are about the same power. Curves, droop, reactive
    power and permits move no power by themselves.

    Args:
        values: What is asked, by mode.
        duration_s: For how long.
        home_w: What a home could change at most, W, where the order itself does not say: a limit
            takes no more than what is over it, a percentage its part.
    """
    asked, moved = [0.0], [0.0]
    for mode, value in values.items():
        if not isinstance(value, int | float):
            continue
        if mode in _AMOUNTS:
            asked.append(abs(value))
        elif mode is Mode.ENERGY:
            asked.append(value * _HOUR_S / duration_s)
        elif mode in _LIMITS:
            moved.append(max(0.0, home_w - value))
        elif mode in _SHARES:
            moved.append(home_w * max(0.0, _WHOLE - value) / _WHOLE)
        elif mode in {Mode.FIXED_PERCENT, Mode.LOAD_PERCENT}:
            moved.append(home_w * abs(value) / _WHOLE)
        elif mode in _COMFORT and value:
            moved.append(home_w)
    disconnects = any(values.get(mode) == 0 for mode in _LEFT)
    if disconnects:
        moved.append(home_w)
    return Size(max(asked), max(*asked, *moved), disconnects)
