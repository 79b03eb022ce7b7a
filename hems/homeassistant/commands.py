"""From a message of Home Assistant to what the owner asks of the home; pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hems.homeassistant.entities import DURATIONS, HOME, USUAL
from hems.homeassistant.entity import Places
from hems.surface import DeviceView, Snapshot

_MOST_BYTES: Final = 64
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,6})?")


class CommandError(Exception):
    """A message that asks nothing that can be done; `str()` is one clause."""


@dataclass(frozen=True, slots=True)
class TakePart:
    """Leave an event, or take part again."""

    event: str
    part: bool


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """All these messages have been read."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WishPower:
    """A wish about a device's power in W, for some seconds."""

    device: str
    power_w: float
    seconds: float


@dataclass(frozen=True, slots=True)
class EndWish:
    """The wish about a device ends."""

    device: str


@dataclass(frozen=True, slots=True)
class Lasting:
    """Wishes about a device last this long from now on, a key of `DURATIONS`."""

    device: str
    duration: str


Command = TakePart | Acknowledge | WishPower | EndWish | Lasting


def parse(
    places: Places, topic: str, payload: bytes, home: Snapshot, durations: Mapping[str, str]
) -> Command:
    """Return what a message asks.

    Args:
        places: Where everything is.
        topic: Where the message came.
        payload: What it holds.
        home: The home as it is now.
        durations: For how long each device's wishes hold, where that was chosen.

    Raises:
        CommandError: The message asks nothing that this home has.
    """
    thing, name = _split(places, topic)
    word = _word(payload)
    if thing == HOME and name == "acknowledge":
        unread = (m.id for m in home.messages if m.may_acknowledge and not m.acknowledged)
        return Acknowledge((*unread,))
    kind, _, found = thing.partition("-")
    if kind == "event" and name == "part":
        if found not in {event.id for event in home.events}:
            raise CommandError("there is no such event")
        return TakePart(found, part=_switched(word))
    if kind == "device":
        device = next((d for d in home.devices if d.id == found), None)
        if device is None:
            raise CommandError("there is no such device")
        seconds = DURATIONS[durations.get(found, USUAL)]
        return _of_device(device, name, word, seconds)
    raise CommandError("there is nothing that takes it")


def _of_device(device: DeviceView, name: str, word: str, seconds: float) -> Command:
    match name:
        case "pause":
            return WishPower(device.id, 0.0, seconds) if _switched(word) else EndWish(device.id)
        case "limit":
            return WishPower(device.id, _number(word), seconds)
        case "duration" if word in DURATIONS:
            return Lasting(device.id, word)
        case "duration":
            raise CommandError(f"{word!r} is none of {', '.join(DURATIONS)}")
        case "end":
            return EndWish(device.id)
        case _:
            raise CommandError("there is nothing that takes it")


def _split(places: Places, topic: str) -> tuple[str, str]:
    levels = topic.removeprefix(f"{places.base}/").split("/")
    if not topic.startswith(f"{places.base}/") or len(levels) != 3 or levels[2] != "set":  # noqa: PLR2004 - as `Places.command` makes it
        raise CommandError("there is nothing that takes it")
    return levels[0], levels[1]


def _word(payload: bytes) -> str:
    if len(payload) > _MOST_BYTES:
        raise CommandError(f"{len(payload)} bytes are too many")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise CommandError("is no text") from error


def _switched(word: str) -> bool:
    if word not in {"ON", "OFF"}:
        raise CommandError(f"{word!r} is neither ON nor OFF")
    return word == "ON"


def _number(word: str) -> float:
    if not _NUMBER.fullmatch(word) or not math.isfinite(float(word)):
        raise CommandError(f"{word!r} is no power")
    return float(word)
