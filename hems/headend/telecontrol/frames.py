"""Frames of IEC 60870-5-104 (APCI): octets in, records out, and back; pure.

A frame is a start octet, the number of octets behind it, four control octets, and in a numbered
frame a data unit. Sequence numbers have 15 bits, the lowest octet first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hems.headend.telecontrol.errors import FrameError

START: Final = 0x68
MODULUS: Final = 1 << 15
"""Sequence numbers begin anew after so many."""
MOST_ASDU: Final = 249
"""Octets of a data unit."""
_CONTROL: Final = 4
_HEAD: Final = 2


class Service(IntEnum):
    """What an unnumbered frame says, as its first control octet."""

    START_ACT = 0x07
    """Begin to transfer data (STARTDT act)."""
    START_CON = 0x0B
    STOP_ACT = 0x13
    """Transfer no more (STOPDT act)."""
    STOP_CON = 0x23
    TEST_ACT = 0x43
    """Are you there? (TESTFR act)"""
    TEST_CON = 0x83


@dataclass(frozen=True, slots=True)
class Numbered:
    """An I frame.

    Attributes:
        send: Its own number, N(S).
        receive: Number of the frame that its sender expects next, N(R).
        asdu: The data unit, not empty.
    """

    send: int
    receive: int
    asdu: bytes


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An S frame.

    Attributes:
        receive: Number of the frame that its sender expects next, N(R).
    """

    receive: int


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """A U frame.

    Attributes:
        service: What it says.
    """

    service: Service


_SERVICES: Final = frozenset(service.value for service in Service)
Frame = Numbered | Acknowledged | Unnumbered


def encode(frame: Frame) -> bytes:
    """Return a frame's octets."""
    match frame:
        case Numbered(send, receive, asdu):
            control = (send << 1).to_bytes(2, "little") + (receive << 1).to_bytes(2, "little")
        case Acknowledged(receive):
            control, asdu = b"\x01\x00" + (receive << 1).to_bytes(2, "little"), b""
        case Unnumbered(service):
            control, asdu = bytes((service, 0, 0, 0)), b""
    return bytes((START, _CONTROL + len(asdu))) + control + asdu


class Framer:
    """Finds frames in what comes over a connection, in whatever pieces; holds one frame at most."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole with these octets.

        Raises:
            FrameError: What comes is no frame; nothing that follows can be read.
        """
        self._rest += octets
        while self._rest:
            if self._rest[0] != START:
                raise FrameError(f"a frame begins with {self._rest[0]:#04x}, not {START:#04x}")
            if len(self._rest) < _HEAD:
                return
            length = self._rest[1]
            if not _CONTROL <= length <= _CONTROL + MOST_ASDU:
                raise FrameError(
                    f"a frame has a length of {length}; {_CONTROL} to {_CONTROL + MOST_ASDU} may be"
                )
            if len(self._rest) < _HEAD + length:
                return
            body = bytes(self._rest[_HEAD : _HEAD + length])
            del self._rest[: _HEAD + length]
            yield _frame(body)


def _frame(body: bytes) -> Frame:
    first, second = body[0], body[1]
    if first & 1 and len(body) != _CONTROL:
        raise FrameError(f"a frame without a number has {len(body) - _CONTROL} octets too many")
    if body[2] & 1:
        raise FrameError("the lowest bit of a frame's third control octet is set")
    receive = int.from_bytes(body[2:4], "little") >> 1
    if not first & 1:
        if len(body) == _CONTROL:
            raise FrameError("a numbered frame carries nothing")
        return Numbered(int.from_bytes(body[0:2], "little") >> 1, receive, body[_CONTROL:])
    if first == 1 and second == 0:
        return Acknowledged(receive)
    if first not in _SERVICES or any(body[1:]):
        raise FrameError(f"a frame has the control octets {body.hex(' ')}")
    return Unnumbered(Service(first))
