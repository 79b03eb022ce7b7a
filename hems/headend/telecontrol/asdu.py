"""Data units of IEC 60870-5-104 (ASDU): octets in, records out, and back; pure.

Only the types that a controlled station of ours takes or sends are known here. Addresses have the
sizes that 104 fixes: cause 2 octets, common address 2, information object 3.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from hems.headend.telecontrol import times
from hems.headend.telecontrol.errors import AsduError
from hems.headend.telecontrol.frames import MOST_ASDU

EVERYBODY: Final = 0xFFFF
"""Common address of all stations."""
MOST_ADDRESS: Final = (1 << 24) - 1
HEAD: Final = 6
_ADDRESS: Final = 3
_MOST_OBJECTS: Final = 0x7F
_SEQUENCE: Final = 0x80
_TEST: Final = 0x80
_NEGATIVE: Final = 0x40
_CAUSE: Final = 0x3F
_SELECT: Final = 0x80


class Type(IntEnum):
    """What a data unit is."""

    M_SP_NA_1 = 1
    """Single point."""
    M_ME_NC_1 = 13
    """Measured value, short floating point."""
    M_SP_TB_1 = 30
    """Single point with time."""
    M_ME_TF_1 = 36
    """Measured value, short floating point, with time."""
    C_SC_NA_1 = 45
    """Single command."""
    C_SE_NC_1 = 50
    """Set-point, short floating point."""
    C_IC_NA_1 = 100
    """Interrogation."""
    C_RD_NA_1 = 102
    """Read of one object."""
    C_CS_NA_1 = 103
    """Clock synchronisation."""


class Cause(IntEnum):
    """Why it is sent."""

    SPONTANEOUS = 3
    REQUEST = 5
    ACTIVATION = 6
    ACTIVATION_CON = 7
    DEACTIVATION = 8
    DEACTIVATION_CON = 9
    TERMINATION = 10
    INTERROGATED = 20
    """By a general interrogation; 21 to 36 by one of groups 1 to 16."""
    UNKNOWN_TYPE = 44
    UNKNOWN_CAUSE = 45
    UNKNOWN_COMMON = 46
    UNKNOWN_OBJECT = 47


class Quality(IntFlag):
    """What is wrong with a value."""

    GOOD = 0
    NOT_TOPICAL = 0x40
    """It is old."""
    INVALID = 0x80
    """It is not known."""


@dataclass(frozen=True, slots=True)
class Point:
    """A single point.

    Attributes:
        on: Whether it is.
        quality: What is wrong with it.
        at: Since when, or as of when, epoch s; None without a time.
    """

    on: bool
    quality: Quality = Quality.GOOD
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value.

    Attributes:
        value: It, with the 24 significant bits of a short float.
        quality: What is wrong with it.
        at: As of when, epoch s; None without a time.
    """

    value: float
    quality: Quality = Quality.GOOD
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A single command.

    Attributes:
        on: What is commanded.
        select: Whether it is only announced.
        qualifier: Kind of pulse; 0 for none in particular.
    """

    on: bool
    select: bool = False
    qualifier: int = 0


@dataclass(frozen=True, slots=True)
class SetPoint:
    """A set-point.

    Attributes:
        value: It; may be no number.
        select: Whether it is only announced.
        qualifier: 0.
    """

    value: float
    select: bool = False
    qualifier: int = 0


@dataclass(frozen=True, slots=True)
class Interrogation:
    """What is asked for: 20 for all, 21 to 36 for a group."""

    qualifier: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One object is asked for."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The control centre's time, epoch s; None where it says itself that it is not valid."""

    at: float | None


Element = Point | Measured | Command | SetPoint | Interrogation | Reading | Clock


@dataclass(frozen=True, slots=True)
class Asdu:
    """A data unit.

    Attributes:
        type: What it is: a `Type`, or the number of one that is not known here.
        cause: Why it is sent: a `Cause`, or another number.
        common: Common address of the station.
        objects: Information objects, by address; empty where the type is not known.
        originator: Who of the control centre asked; 0 for nobody in particular.
        negative: Whether it says no.
        test: Whether it is sent to try the line, and means nothing.
    """

    type: int
    cause: int
    common: int
    objects: tuple[tuple[int, Element], ...]
    originator: int = 0
    negative: bool = False
    test: bool = False


@dataclass(frozen=True, slots=True)
class _Form:
    size: int
    read: Callable[[bytes], Element]
    write: Callable[[Element], bytes]


def encode(unit: Asdu) -> bytes:
    """Return a data unit's octets.

    Raises:
        ValueError: It has too many objects, or elements of another type.
    """
    form = _FORMS[Type(unit.type)]
    parts = [at.to_bytes(_ADDRESS, "little") + form.write(each) for at, each in unit.objects]
    if not 1 <= len(parts) <= fitting(Type(unit.type)):
        raise ValueError(f"a data unit of {len(parts)} objects")
    flags = _TEST * unit.test | _NEGATIVE * unit.negative
    head = bytes((unit.type, len(parts), unit.cause | flags, unit.originator))
    return head + unit.common.to_bytes(2, "little") + b"".join(parts)


def decode(octets: bytes) -> Asdu:
    """Return the data unit that a frame carries.

    Raises:
        AsduError: It is none, or not of the size that its type has.
    """
    if len(octets) <= HEAD:
        raise AsduError(f"a data unit has {len(octets)} octets; its head alone has {HEAD}")
    kind, variable, cause, originator = octets[:4]
    common = int.from_bytes(octets[4:6], "little")
    objects: tuple[tuple[int, Element], ...] = ()
    if kind in _FORMS:
        objects = _objects(Type(kind), variable, octets[HEAD:])
    return Asdu(
        kind,
        cause & _CAUSE,
        common,
        objects,
        originator,
        bool(cause & _NEGATIVE),
        bool(cause & _TEST),
    )


def answered(octets: bytes, cause: Cause, *, negative: bool = False) -> bytes:
    """Return the answer to a command: itself, with the cause of the answer."""
    told = (octets[2] & _TEST) | cause | _NEGATIVE * negative
    return octets[:2] + bytes((told,)) + octets[3:]


def fitting(kind: Type) -> int:
    """Return how many objects of a type fit into one data unit."""
    return min((MOST_ASDU - HEAD) // (_ADDRESS + _FORMS[kind].size), _MOST_OBJECTS)


def short(value: float) -> float:
    """Return a value as a short float has it; infinite beyond what that can say."""
    try:
        found: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return found


def _objects(kind: Type, variable: int, body: bytes) -> tuple[tuple[int, Element], ...]:
    form, name = _FORMS[kind], kind.name
    if variable & _SEQUENCE:
        raise AsduError(f"{name} comes as a sequence of objects, which it cannot be here")
    size = _ADDRESS + form.size
    if not variable or len(body) != variable * size:
        raise AsduError(f"{name} says {variable} objects and has {len(body)} octets of them")
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return tuple(
        (int.from_bytes(part[:_ADDRESS], "little"), form.read(part[_ADDRESS:])) for part in parts
    )


def _quality(octet: int) -> Quality:
    return Quality(octet) & (Quality.NOT_TOPICAL | Quality.INVALID)


def _at(octets: bytes) -> float | None:
    return times.decode(octets) if octets else None


def _time(at: float | None, *, timed: bool) -> bytes:
    if timed != (at is not None):
        raise ValueError("a time where there is none, or none where there is one")
    return b"" if at is None else times.encode(at)


def _point_form(*, timed: bool) -> _Form:
    def read(octets: bytes) -> Element:
        return Point(bool(octets[0] & 1), _quality(octets[0]), _at(octets[1:]))

    def write(element: Element) -> bytes:
        if not isinstance(element, Point):
            raise ValueError(f"{element} is no point")  # noqa: TRY004 - as documented
        return bytes((element.on | element.quality,)) + _time(element.at, timed=timed)

    return _Form(1 + times.SIZE * timed, read, write)


def _measured_form(*, timed: bool) -> _Form:
    def read(octets: bytes) -> Element:
        return Measured(_float(octets), _quality(octets[4]), _at(octets[5:]))

    def write(element: Element) -> bytes:
        if not isinstance(element, Measured):
            raise ValueError(f"{element} is no measured value")  # noqa: TRY004 - as documented
        value = struct.pack("<f", short(element.value))
        return value + bytes((element.quality,)) + _time(element.at, timed=timed)

    return _Form(5 + times.SIZE * timed, read, write)


def _float(octets: bytes) -> float:
    found: float = struct.unpack("<f", octets[:4])[0]
    return found


def _read_command(octets: bytes) -> Element:
    state = octets[0]
    return Command(bool(state & 1), bool(state & _SELECT), state >> 2 & 0x1F)


def _write_command(element: Element) -> bytes:
    if not isinstance(element, Command):
        raise ValueError(f"{element} is no command")  # noqa: TRY004 - as documented
    return bytes((element.on | element.qualifier << 2 | _SELECT * element.select,))


def _read_set_point(octets: bytes) -> Element:
    return SetPoint(_float(octets), bool(octets[4] & _SELECT), octets[4] & ~_SELECT)


def _write_set_point(element: Element) -> bytes:
    if not isinstance(element, SetPoint):
        raise ValueError(f"{element} is no set-point")  # noqa: TRY004 - as documented
    value = struct.pack("<f", element.value)
    return value + bytes((element.qualifier | _SELECT * element.select,))


def _write_interrogation(element: Element) -> bytes:
    if not isinstance(element, Interrogation):
        raise ValueError(f"{element} is no interrogation")  # noqa: TRY004 - as documented
    return bytes((element.qualifier,))


def _write_clock(element: Element) -> bytes:
    if not isinstance(element, Clock):
        raise ValueError(f"{element} is no time")  # noqa: TRY004 - as documented
    return _time(element.at, timed=True)


_FORMS: Final[Mapping[int, _Form]] = {
    Type.M_SP_NA_1: _point_form(timed=False),
    Type.M_ME_NC_1: _measured_form(timed=False),
    Type.M_SP_TB_1: _point_form(timed=True),
    Type.M_ME_TF_1: _measured_form(timed=True),
    Type.C_SC_NA_1: _Form(1, _read_command, _write_command),
    Type.C_SE_NC_1: _Form(5, _read_set_point, _write_set_point),
    Type.C_IC_NA_1: _Form(1, lambda octets: Interrogation(octets[0]), _write_interrogation),
    Type.C_RD_NA_1: _Form(0, lambda _: Reading(), lambda _: b""),
    Type.C_CS_NA_1: _Form(times.SIZE, lambda octets: Clock(times.decode(octets)), _write_clock),
}
