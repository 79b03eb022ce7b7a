"""Answers to begin with: sound ones, and those of devices that are sick in known ways."""

import struct

from der.sim.modbus.framing import crc
from tests.fuzz.modbus_target import COUNT, UNIT
from tests.fuzz.sunspec_target import SOUND

MBAP, RTU, REGISTERS = b"\0", b"\1", b"\2"
_VALUES = b"\x12\x34\x56\x78\x9a\xbc"


def seeds() -> list[bytes]:
    """Return inputs for `modbus_target.examine`."""
    pdus = [
        bytes([3, 2 * COUNT]) + _VALUES,
        b"\x83\x02",
        b"\x83\x06",
        b"\x04\x02\0\0",
        b"\x03\x02\0\0",
        b"\x03\xfa\0\0",
        b"\x10\0\0\0\x03",
        b"\x06\0\0\0\x03",
        b"\x01\x01\x05",
        b"\x63hello",
    ]
    framed = [MBAP + mbap(pdu) for pdu in pdus] + [RTU + rtu(pdu) for pdu in pdus]
    framed += [MBAP + mbap(pdus[3], number=9) + mbap(pdus[0])]
    framed += [RTU + rtu(pdus[0], unit=UNIT + 1) + rtu(pdus[0]), RTU + b"HTTP/1.1 400"]
    devices = [
        REGISTERS + bytes([n]) + struct.pack(">HH", place, value)
        for n in range(len(SOUND))
        for place, value in ((0, 0x5375), (3, 66), (84, 0x8000), (90, 0xFFFF))
    ]
    return framed + devices


def mbap(pdu: bytes, number: int = 1, unit: int = UNIT) -> bytes:
    """Frame an answer."""
    return struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu


def rtu(pdu: bytes, unit: int = UNIT) -> bytes:
    """Frame an answer with its CRC."""
    return bytes([unit]) + pdu + crc(bytes([unit]) + pdu)
