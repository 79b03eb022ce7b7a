"""What a device's owner had set before the hub restricted it: kept on the broker.

A retained message under a topic of ours, so that a restart of the hub, or its guard, finds it.
"""

import json
import math
from dataclasses import dataclass
from typing import Final

from der.drivers.mqtt import payload as read
from der.drivers.mqtt.payload import PayloadError
from der.drivers.mqtt.points import Message, Point, Settings

_BASE: Final = "hems/kept"
_LAST_INSTANT: Final = 32_503_680_000.0
"""The year 3000."""


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What is kept.

    Attributes:
        own: What the owner had set.
        ends_at: When the device goes back to it by itself, UTC epoch seconds; infinite where it
            cannot.
    """

    own: Settings
    ends_at: float = math.inf


def topic(device: str) -> str:
    """Return where a device's keepsake lies."""
    return f"{_BASE}/{device}"


def message(device: str, keepsake: Keepsake | None) -> Message:
    """Return the message that keeps it; of None, the one that takes it away."""
    if keepsake is None:
        return Message(topic(device), "", retain=True)
    own = keepsake.own
    body: dict[str, object] = {
        "on": own.on,
        "target_c": own.target_c,
        "mode": own.mode,
        "target_name": own.target_name,
        "ends_at": keepsake.ends_at if math.isfinite(keepsake.ends_at) else None,
    }
    return Message(topic(device), json.dumps(body), retain=True)


def parse(payload: bytes) -> Keepsake | None:
    """Return what a message keeps; None if it takes the keepsake away.

    Raises:
        PayloadError: It is none of ours.
    """
    if not payload:
        return None
    found = read.json_object(payload)
    on, target, ends = found.get("on"), found.get("target_c"), found.get("ends_at")
    if on is not None and not isinstance(on, bool):
        raise PayloadError("on is neither true nor false")
    target_c = None if target is None else read.number(target, Point.TEMPERATURE)
    own = Settings(
        on,
        target_c,
        read.word(found, ("mode",)) or None,
        read.word(found, ("target_name",)) or None,
    )
    if not own:
        raise PayloadError("keeps nothing")
    return Keepsake(own, math.inf if ends is None else _time(ends))


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadError("ends_at is no time")
    if not 0 <= value <= _LAST_INSTANT:
        raise PayloadError("ends_at is no time of ours")
    return float(value)
