"""What the owner's direct wish about a device means in watts, by what a set-point means to it.

| control | a power of P means |
|---|---|
| ceiling (a charger) | at most P; 0 pauses it |
| switch (a relay, a plug, a thermostat) | off, or if P is its rating: let it run |
| floor (a PV inverter, P not positive) | it gives at most -P |
| target (a battery) | exactly P |

A wish has the owner's rank: what pays gives way to it, grid events that the home has accepted
and safety do not.
"""

import math
from dataclasses import dataclass
from typing import Final

from der.model import Control, DeviceSpec, Ownership
from der.sentence import Sentence, say
from programs.proposal import Bounds
from programs.rules import kilowatts

LONGEST_S: Final = 7 * 86400.0
"""No wish lasts longer: a forgotten one must end by itself."""


class WishError(Exception):
    """A wish that makes no sense; `str()` is one sentence for the owner."""


@dataclass(frozen=True, slots=True)
class OwnerWish:
    """What a wish means to its device.

    Attributes:
        device: Its id.
        until: UTC epoch seconds at which the wish ends.
        bounds: Power in W that the owner wants it kept to: an upper bound of 0 stops it, a
            lower bound above 0 protects it from all that is weaker than the owner's word.
        preferred_w: Power in W that it should have; None for no preference.
        reason: What the page shows, one sentence.
    """

    device: str
    until: float
    bounds: Bounds = Bounds()  # noqa: RUF009 (frozen, so one instance serves all)
    preferred_w: float | None = None
    reason: str = say("The owner set it so")


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish.

    Attributes:
        power_w: As the owner gave it, W in passive sign.
        meant: What it means to the device.
    """

    power_w: float
    meant: OwnerWish


def wished(spec: DeviceSpec, power_w: float, until: float, now: float) -> Wish:
    """Return the owner's wish about a device.

    Args:
        spec: The device.
        power_w: Power in W, passive sign.
        until: When the wish ends, UTC epoch seconds.
        now: UTC epoch seconds.

    Raises:
        WishError: The device cannot be controlled or is not the owner's, the power is outside its
            range, or the time is over or too far off.
    """
    if spec.control is Control.NONE:
        raise WishError(say("{name} only measures; it cannot be limited.", name=spec.name))
    if spec.ownership is not Ownership.OWNER:
        raise WishError(
            say("{name} is not the owner's, so no wish of the owner moves it.", name=spec.name)
        )
    if not spec.min_w <= power_w <= spec.max_w:  # a NaN fails this too
        raise WishError(
            say(
                "{name} runs between {min:g} W and {max:g} W, not at {power:g} W.",
                name=spec.name,
                min=spec.min_w,
                max=spec.max_w,
                power=power_w,
            )
        )
    if not (math.isfinite(until) and now < until):
        raise WishError(say("A wish needs a time in the future at which it ends."))
    if until > now + LONGEST_S:
        raise WishError(
            say("A wish lasts for at most {longest:g} days.", longest=LONGEST_S / 86400)
        )
    bounds, preferred_w, words = _meaning(spec, power_w)
    meant = OwnerWish(spec.id, until, bounds, preferred_w, words)
    return Wish(power_w, meant)


def _meaning(spec: DeviceSpec, power_w: float) -> tuple[Bounds, float | None, Sentence]:
    size = kilowatts(abs(power_w))
    match spec.control:
        case Control.SWITCH if power_w >= spec.max_w:
            return Bounds(lower_w=spec.max_w), None, say("The owner wants it to run")
        case Control.SWITCH:
            return Bounds(upper_w=0.0), None, say("The owner wants it off")
        case Control.CEILING if power_w <= 0:
            return Bounds(upper_w=0.0), None, say("The owner wants it off")
        case Control.CEILING:
            words = say("The owner wants it to take at most {power}", power=size)
            return Bounds(upper_w=power_w), None, words
        case Control.FLOOR:
            words = say("The owner wants it to give at most {power}", power=size)
            return Bounds(lower_w=power_w), None, words
        case _ if power_w == 0:
            words = say("The owner wants it to rest")
        case _ if power_w > 0:
            words = say("The owner wants it to charge at {power}", power=size)
        case _:
            words = say("The owner wants it to discharge at {power}", power=size)
    return Bounds(power_w, power_w), power_w, words
