"""The uncontrolled base: what the meter shows less all that can be controlled.

Meter and devices are not read at one moment. A device that moved between two readings may have
been anywhere between them when the meter was read; one that answers more slowly than the meter may
have obeyed already what its reading does not show. So every reading of the meter tells only between
which powers the base lies, and one that explains it stays what it was: a set-point just obeyed is
not mistaken for a change of the house's own draw.

A device that can be controlled again takes with it what it drew when the base was found, one that
no longer can leaves that behind: a charger that obeys again while it is read would else hide what
it had not given up yet. Where nothing is known from before, the base is narrowed down reading by
reading, until the devices stand still.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from programs.proposal import Bounds

_SAME_W: Final = 1e-6
"""Sums of the same powers differ by less, in whatever order they are added up."""


@dataclass(frozen=True, slots=True)
class Base:
    """An estimate.

    Attributes:
        power_w: The base, W.
        within: Where it lies; one power where that was found once.
    """

    power_w: float
    within: Bounds

    def without(self, power_w: float, powers: Bounds) -> "Base":
        """Return the base without a device.

        Args:
            power_w: What the device drew by its reading, W.
            powers: Between which powers it was.
        """
        within = Bounds(self.within.lower_w - powers.upper_w, self.within.upper_w - powers.lower_w)
        return Base(within.clamp(self.power_w - power_w), within)

    def beside(self, power_w: float, powers: Bounds) -> "Base":
        """Return the base with a device that is controlled no more, as in `without`."""
        within = Bounds(self.within.lower_w + powers.lower_w, self.within.upper_w + powers.upper_w)
        return Base(within.clamp(self.power_w + power_w), within)


def between(net_w: float, devices: Iterable[Bounds]) -> Bounds:
    """Return between which powers in W the base lies.

    Args:
        net_w: What the meter shows.
        devices: Between which powers each device was when the meter was read.
    """
    lower_w = upper_w = net_w
    for powers in devices:
        lower_w -= powers.upper_w
        upper_w -= powers.lower_w
    return Bounds(lower_w, upper_w)


def estimate(before: Base | None, point_w: float, within: Bounds) -> Base:
    """Return the base after one more reading of the meter.

    Args:
        before: The estimate before it; None where there is none of the same devices.
        point_w: What it would be if all had been read at one moment.
        within: Between which powers it lies by this reading.
    """
    if before is None:
        return Base(point_w, within)
    meets = (
        before.within.lower_w <= within.upper_w + _SAME_W
        and within.lower_w <= before.within.upper_w + _SAME_W
    )
    if not meets:  # the house itself draws more or less than it did
        moved_w = within.clamp(before.power_w)
        return Base(moved_w, Bounds(moved_w, moved_w))
    common = within.within(before.within)
    return Base(common.clamp(point_w), common)
