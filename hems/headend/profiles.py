"""What is offered to homes of which profile; pure. What is not offered is not there.

A home has a profile of its own (its edition), and the server one for those of which nobody says it.
Which modes an event may have for a home is told by `hems.headend.modes.EXPRESSIBLE`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hems.headend import hrefs
from hems.headend.modes import Edition


class FunctionSet(StrEnum):
    """What some profiles have and others do not; all else is everybody's."""

    DRLC = "drlc"
    PRICING = "pricing"
    MESSAGING = "messaging"
    FLOW_RESERVATION = "flow reservation"
    CONNECTION_POINT = "connection point"
    """An extension of CSIP-AUS."""


_STANDARD: Final = frozenset(FunctionSet) - {FunctionSet.CONNECTION_POINT}

OFFERED: Final[Mapping[Edition, frozenset[FunctionSet]]] = {
    Edition.CSIP_AUS: frozenset(FunctionSet),
    Edition.Y2023: _STANDARD,
    Edition.Y2018: _STANDARD,
    Edition.CSIP: frozenset(),
}
"""CSIP asks for DER with what carries it: time, assignments, responses, mirrored readings, log
events and subscriptions."""

_TOPS: Final[Mapping[str, FunctionSet]] = {
    hrefs.DR_PROGRAMS: FunctionSet.DRLC,
    hrefs.TARIFFS: FunctionSet.PRICING,
    hrefs.MESSAGE_PROGRAMS: FunctionSet.MESSAGING,
}
_BELOW_DEVICE: Final[Mapping[str, FunctionSet]] = {
    "drp": FunctionSet.DRLC,
    "lsl": FunctionSet.DRLC,
    "frq": FunctionSet.FLOW_RESERVATION,
    "frp": FunctionSet.FLOW_RESERVATION,
    "cp": FunctionSet.CONNECTION_POINT,
}


def function_set(path: str) -> FunctionSet | None:
    """Return what a path belongs to; None for what everybody is offered."""
    _, top, _, below, *_ = (*path.split("/", 4), "", "", "")
    if f"/{top}" == hrefs.DEVICES:
        return _BELOW_DEVICE.get(below)
    return _TOPS.get(f"/{top}")


def offers(edition: Edition, path: str) -> bool:
    """Return whether there is something at a path for homes of a profile."""
    found = function_set(path)
    return found is None or found in OFFERED[edition]
