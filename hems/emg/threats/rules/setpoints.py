"""What a device was told, as an event that is judged and not written down."""

from typing import Final

from hems.emg.threats.rules.finding import Seen
from hems.security_event import EventKind, SecurityEvent

LITTLE_W: Final = 500.0
"""A battery that follows the house goes to and fro by less than this."""
TAKES: Final = "It is told to take power."
GIVES: Final = "It is told to give power."
RESTS: Final = "It is told to rest, or left to itself."
"""Nobody reads these: they are not written down."""


def told(device: str, setpoint_w: float | None, source: str = "") -> SecurityEvent:
    """Return the event.

    Args:
        device: Its id.
        setpoint_w: What it is told, in W, taking positive; None for its own control.
        source: Whose word it is.
    """
    text = RESTS
    if setpoint_w is not None and abs(setpoint_w) >= LITTLE_W:
        text = TAKES if setpoint_w > 0 else GIVES
    return SecurityEvent(EventKind.SETPOINT, text, about=device, source=source)


def way(seen: Seen) -> str | None:
    """Return which way a device is sent; None for neither."""
    return None if seen.event.text == RESTS else str(seen.event.text)
