"""Modbus requests and answers, as far as devices of a home need them (protocol V1.1b3). Pure.

A message is a function and its data; how it lies in a stream is the framing's matter.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

READ_COILS: Final = 1
READ_DISCRETE: Final = 2
READ_HOLDING: Final = 3
READ_INPUT: Final = 4
WRITE_COIL: Final = 5
WRITE_REGISTER: Final = 6
WRITE_COILS: Final = 15
WRITE_REGISTERS: Final = 16

_BITS: Final = frozenset({READ_COILS, READ_DISCRETE})
_REGISTERS: Final = frozenset({READ_HOLDING, READ_INPUT})
_WRITES: Final = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS})
_ON: Final = 0xFF00
_EXCEPTION: Final = 0x80
_CONFIRMATION: Final = 4
"""Bytes by which a write is confirmed: where, and what or how much."""


class ContradictionError(Exception):
    """A message that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a unit is asked.

    Attributes:
        unit: Its number.
        function: What it is to do, by the protocol's number.
        data: With what.
        count: Registers or bits that are asked for; 0 of a write.
        confirmation: The data of the answer that confirms a write.
    """

    unit: int
    function: int
    data: bytes
    count: int = 0
    confirmation: bytes = b""

    @classmethod
    def read(cls, unit: int, function: int, start: int, count: int) -> Self:
        """Return a request for registers or bits."""
        return cls(unit, function, struct.pack(">HH", start, count), count=count)

    @classmethod
    def write_registers(cls, unit: int, start: int, values: Sequence[int]) -> Self:
        """Return a request to write registers in one go."""
        count = len(values)
        place = struct.pack(">HH", start, count)
        data = place + struct.pack(f">B{count}H", 2 * count, *values)
        return cls(unit, WRITE_REGISTERS, data, confirmation=place)

    @classmethod
    def write_register(cls, unit: int, address: int, value: int) -> Self:
        """Return a request to write one register."""
        data = struct.pack(">HH", address, value)
        return cls(unit, WRITE_REGISTER, data, confirmation=data)

    @classmethod
    def write_coil(cls, unit: int, address: int, value: bool) -> Self:
        """Return a request to set or clear a coil."""
        data = struct.pack(">HH", address, _ON if value else 0)
        return cls(unit, WRITE_COIL, data, confirmation=data)

    @property
    def message(self) -> bytes:
        """Function and data."""
        return bytes((self.function,)) + self.data


@dataclass(frozen=True, slots=True)
class Answer:
    """What a unit answers.

    Attributes:
        function: That of the request.
        data: Registers, high byte first, or bits, eight to a byte from the lowest; of a write
            what confirms it.
        refusal: Exception code, where it refuses; None where it does not.
    """

    function: int
    data: bytes
    refusal: int | None = None

    @classmethod
    def of(cls, message: bytes) -> Self:
        """Read an answer.

        Args:
            message: Function and data, at least one byte of them.

        Raises:
            ContradictionError: Its length is another than it says, or than its function has.
        """
        function, data = message[0], message[1:]
        if function & _EXCEPTION:
            return cls(function & ~_EXCEPTION, b"", refusal=data[0])
        if function in _BITS | _REGISTERS:
            if data[0] != len(data) - 1 or (function in _REGISTERS and data[0] % 2):
                raise ContradictionError(f"byte count {data[0]} in {len(data) - 1} bytes of data")
            return cls(function, data[1:])
        if len(data) != _CONFIRMATION:
            raise ContradictionError(f"a write is confirmed by {len(data)} bytes of data")
        return cls(function, data)

    def bits(self, count: int) -> tuple[bool, ...]:
        """Return the first bits."""
        return tuple(bool(self.data[i // 8] >> i % 8 & 1) for i in range(count))


def known(function: int) -> bool:
    """Return whether an answer may begin with a byte: a function of these, or its refusal."""
    return function & ~_EXCEPTION in _BITS | _REGISTERS | _WRITES


def length(begin: bytes) -> int:
    """Return how long an answer is, function and data, by how it begins.

    Args:
        begin: Its first two bytes at least, the first of them `known`.
    """
    if begin[0] & _EXCEPTION:
        return 2
    if begin[0] in _WRITES:
        return 1 + _CONFIRMATION
    return 2 + begin[1]


def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)  # noqa: PLW2901 - shifted out
        found.append(value)
    return tuple(found)


_CRC: Final = _table()


def crc(data: bytes) -> bytes:
    """Return the checksum of an RTU frame (serial line V1.02, 6.2.2), as it follows the data."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")
