"""What no device here could do, of all that an event may ask: refused before it is taken in."""

from typing import Final

from der.sentence import say
from hems.emg import functions
from hems.emg.ratings import Ratings
from hems.emg.translate import SET_POINTS, meaning
from hems.emg.words import quantity
from hems.sep2.rules.events import ModeValue
from programs.signal import SignalKind

_NEARLY: Final = 1.01
"""A server that rounds a rating up asks no more than it."""


def beyond(mode: str, value: ModeValue, ratings: Ratings) -> str:
    """Say why a mode's value is more than the devices can do, empty if it is not.

    A limit is never too much: whatever is less obeys it. A set-point of active power is, beyond
    what is installed; a percentage of the rating cannot be.

    Args:
        mode: Its 2030.5 name.
        value: As in `Event.modes`.
        ratings: What the devices here can do together.
    """
    asked = meaning(mode, value, ratings) if mode in SET_POINTS else None
    if asked is None:
        return functions.beyond(mode, value, ratings)
    kind, power_w = asked
    gives_w = ratings.discharge_w if kind is SignalKind.STORAGE_POWER else ratings.generation_w
    most_w = ratings.charge_w if power_w > 0 else gives_w
    if abs(power_w) <= most_w * _NEARLY:
        return ""
    power, most = quantity(abs(power_w), "W"), quantity(most_w, "W")
    if power_w > 0:
        return say(
            "{mode} asks to take {power}, and the most here is {most}",
            mode=mode,
            power=power,
            most=most,
        )
    return say(
        "{mode} asks to give {power}, and the most here is {most}",
        mode=mode,
        power=power,
        most=most,
    )
