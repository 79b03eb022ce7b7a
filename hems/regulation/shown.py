"""How frequency response and regulation stand, in words and figures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from der.model import DeviceState, Quality
from der.sentence import say
from hems.regulation.letters import Report
from hems.regulation.period import HOUR_S
from programs import frequency, regulation
from programs.about import Standing
from programs.arming import Armed
from programs.proposal import Bounds


@dataclass(frozen=True, slots=True)
class Able:
    """What the battery could do for the grid at once.

    Attributes:
        down_w: By how much it could lower the home's net power, W.
        up_w: By how much it could raise it.
        energy_wh: For how much energy either way.
        for_s: For how long, at the whole capacity; None without one.
    """

    down_w: float = 0.0
    up_w: float = 0.0
    energy_wh: float = 0.0
    for_s: float | None = None


def able(battery: DeviceState | None, room: Bounds | None, capacity_w: float) -> Able:
    """Return what a battery could do at once.

    Args:
        battery: As it stands; None before the first image.
        room: Where its power may be while all limits hold; None while that is not known.
        capacity_w: The greatest swing either way.
    """
    if battery is None or battery.reading is None or battery.quality is not Quality.GOOD:
        return Able()
    if room is None:
        return Able()
    reading = battery.reading
    base_w = reading.power_w - reading.regulated_w
    down_w = min(max(base_w - room.lower_w, 0.0), capacity_w)
    up_w = min(max(room.upper_w - base_w, 0.0), capacity_w)
    if reading.soc is None or reading.capacity_wh is None:
        return Able(down_w, up_w)
    energy_wh = min(reading.soc, 1.0 - reading.soc) * reading.capacity_wh
    return Able(down_w, up_w, energy_wh, energy_wh / capacity_w * HOUR_S if capacity_w else None)


def standings(
    armed: Armed, can: Able, report: Report | None, within_s: float | None
) -> Sequence[Standing]:
    """Return how both programmes stand.

    Args:
        armed: What is to be done.
        can: What the battery could do.
        report: What the loop said last; None while it has not the battery.
        within_s: Time within which it acted of late; None after too few occasions.
    """
    inverter = armed.inverter is not None
    responds = armed.droop is not None or inverter
    response = say("The hub responds to what the home measures, ten times a second")
    if inverter:
        response = say("The inverter responds by itself, in its own time, with the hub or without")
    elif within_s is not None:
        response = say(
            "The hub responds to what the home measures, ten times a second; of late within "
            "{within:.0f} ms",
            within=within_s * 1000,
        )
    followed = say(
        "Each message of the signal is followed at once; an event of the utility alone, as soon as "
        "it is notified or polled"
    )
    words = say("The battery's inverter holds against the frequency by itself")
    return (
        Standing(
            frequency.ID,
            responds and (inverter or report is not None),
            can.down_w,
            can.up_w,
            can.energy_wh,
            can.for_s,
            response,
            (words if inverter else said(report)) if responds else "",
        ),
        Standing(
            regulation.ID,
            armed.follows and report is not None,
            can.down_w,
            can.up_w,
            can.energy_wh,
            can.for_s,
            followed,
            said(report) if armed.follows else "",
        ),
    )


def said(report: Report | None) -> str:
    """Return what the loop does, one sentence."""
    if report is None:
        return say("The regulation begins")
    if report.trouble and not report.swing_w:
        return say("The battery stays at its base: {trouble}", trouble=report.trouble)
    swing_w = abs(report.swing_w)
    if report.swing_w < 0:
        return say("The battery gives {power:.0f} W more than its base", power=swing_w)
    return say("The battery takes {power:.0f} W more than its base", power=swing_w)
