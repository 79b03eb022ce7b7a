"""For how long an island's energy lasts, and which loads it can carry until the grid is back. Pure.

Loads are taken in by essentiality, strictly: the first one that would empty the battery too soon
stays off, and with it all that are less essential, however small. What is marked is never held
back for energy: it runs to the last.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from programs.microgrid import MARKED

_AGAIN: Final = 1.15
"""By how much longer than needed a load that was held back must be carried to come back."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the time ahead.

    Attributes:
        seconds: Its length.
        load_w: What the home draws that cannot be switched, not negative.
        sun_w: What the sun gives, not negative.
    """

    seconds: float
    load_w: float
    sun_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Stock:
    """The energy that there is.

    Attributes:
        energy_wh: In the battery, above what it must keep.
        room_wh: What it can take in addition.
    """

    energy_wh: float
    room_wh: float


@dataclass(frozen=True, slots=True)
class Flexible:
    """A load that can be switched.

    Attributes:
        id: Device id.
        mean_w: What it draws on the mean while it may run.
        essentiality: 9 is marked.
        held: Whether it is held back for want of energy now.
    """

    id: str
    mean_w: float
    essentiality: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """What can be carried.

    Attributes:
        withheld: Ids of loads that cannot.
        lasts_s: For how long the energy lasts with the rest, s; infinite where it does not end
            within the time ahead.
    """

    withheld: frozenset[str]
    lasts_s: float


def lasts_s(stock: Stock, ahead: Iterable[Stretch], more_w: float = 0.0) -> float:
    """Return when the energy ends, in s from now; infinite where it lasts for all the time ahead.

    Args:
        stock: What there is.
        ahead: The time ahead.
        more_w: What is drawn beside the load that cannot be switched.
    """
    energy_wh, most_wh = stock.energy_wh, stock.energy_wh + stock.room_wh
    passed_s = 0.0
    for part in ahead:
        drain_w = part.load_w + more_w - part.sun_w
        left_wh = energy_wh - drain_w * part.seconds / 3600
        if left_wh < 0:
            return passed_s + max(energy_wh, 0.0) / drain_w * 3600
        energy_wh = min(left_wh, most_wh)
        passed_s += part.seconds
    return math.inf


def carried(stock: Stock, ahead: Sequence[Stretch], loads: Iterable[Flexible]) -> Carried:
    """Return which loads cannot be carried for all the time ahead.

    Args:
        stock: What there is.
        ahead: The time ahead.
        loads: What can be switched.
    """
    withheld: set[str] = set()
    more_w = 0.0
    for load in sorted(loads, key=lambda each: (-each.essentiality, each.mean_w, each.id)):
        if load.essentiality >= MARKED:
            more_w += load.mean_w
            continue
        factor = _AGAIN if load.held else 1.0
        longer = [Stretch(part.seconds * factor, part.load_w, part.sun_w) for part in ahead]
        if withheld or not math.isinf(lasts_s(stock, longer, more_w + load.mean_w)):
            withheld.add(load.id)
        else:
            more_w += load.mean_w
    return Carried(frozenset(withheld), lasts_s(stock, ahead, more_w))
