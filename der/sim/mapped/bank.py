"""Simulated devices with a register map of their maker's own, as Modbus units.

What the maps of `der.drivers.mapped` say is not used here: each device is written out from its
maker's documents a second time, so that the two ends of the wire do not share one reading.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault, FaultKind
from der.sim.modbus.server import Table

T = TypeVar("T")

WRONG_BY = 1000.0
"""Factor of a power under `FaultKind.SCALE`."""


class BankDevice(Protocol):
    """What stands behind a bank of registers and bits."""

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return all that can be read, by address; a hole cannot be read."""
        ...

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Obey a write.

        Raises:
            RefusedError: There is nothing to write there, or not this.
        """
        ...

    def restart(self) -> None:
        """Forget all that it was told."""
        ...


class BankUnit:
    """A device of registers and bits as a Modbus unit.

    Args:
        device: What stands behind it.
        fault: What goes wrong with it; STUCK is done here.
        most: Most registers that it gives in one frame.
    """

    def __init__(self, device: BankDevice, fault: Fault, most: int = 125) -> None:
        self._device = device
        self._fault = fault
        self._most = most
        self._image: Mapping[Table, Mapping[int, int]] | None = None

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Return coils or discrete inputs."""
        return [bool(cell) for cell in self._read(table, address, count)]

    def read_registers(self, table: Table, address: int, count: int) -> list[int]:
        """Return holding or input registers."""
        if count > self._most:
            raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"{count} registers at once")
        return self._read(table, address, count)

    def write_coils(self, address: int, values: list[bool]) -> None:
        """Set coils."""
        self._device.take(Table.COIL, address, [int(value) for value in values])

    def write_registers(self, address: int, values: list[int]) -> None:
        """Set holding registers."""
        self._device.take(Table.HOLDING, address, values)

    def _read(self, table: Table, address: int, count: int) -> list[int]:
        if self._fault.kind is not FaultKind.STUCK:
            self._image = None
        image = self._image or self._device.cells()
        if self._fault.kind is FaultKind.STUCK:
            self._image = image
        cells = image.get(table, {})
        try:
            return [cells[address + i] for i in range(count)]
        except KeyError as error:
            raise RefusedError(
                ExceptionCode.ILLEGAL_ADDRESS, f"{count} of {table} at {address}"
            ) from error


class Shown:
    """A power as a device shows it, wrong by a factor if that is its fault."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def watts(self, power_w: float) -> float:
        """Return what is shown for a power."""
        return power_w * WRONG_BY if self._fault.kind is FaultKind.SCALE else power_w


def s16(value: float) -> dict[int, int]:
    """Return a number as one register, saturated; offsets from its address."""
    return {0: max(-0x8000, min(0x7FFF, round(value))) & 0xFFFF}


def u16(value: float) -> dict[int, int]:
    """Return a number as one register, saturated."""
    return {0: max(0, min(0xFFFF, round(value)))}


def s32(value: float) -> dict[int, int]:
    """Return a number as two registers, high one first, saturated."""
    return _two(max(-(1 << 31) + 1, min((1 << 31) - 1, round(value))) & 0xFFFFFFFF)


def u32(value: float) -> dict[int, int]:
    """Return a number as two registers, high one first, saturated."""
    return _two(max(0, min((1 << 32) - 2, round(value))))


def f32(value: float) -> dict[int, int]:
    """Return a number as the two registers of an IEEE 754 number, high one first."""
    return _two(struct.unpack(">I", struct.pack(">f", value))[0])


def text(value: str, registers: int) -> dict[int, int]:
    """Return a text in registers, filled up with NUL."""
    data = value.encode("ascii").ljust(2 * registers, b"\0")
    return {i: int.from_bytes(data[2 * i : 2 * i + 2], "big") for i in range(registers)}


def placed(*parts: tuple[int, Mapping[int, int]]) -> dict[int, int]:
    """Return registers by address, from (address, registers by offset)."""
    return {address + offset: cell for address, part in parts for offset, cell in part.items()}


def number(values: Sequence[int], *, signed: bool = False) -> int:
    """Return the whole number in registers, high one first."""
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return int.from_bytes(data, "big", signed=signed)


def choose(handlers: Mapping[int, T], address: int) -> T:
    """Return what is at an address.

    Raises:
        RefusedError: Nothing is.
    """
    if address not in handlers:
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"nothing to write at {address}")
    return handlers[address]


def bounded(value: float, low: float, high: float, what: str) -> float:
    """Return a value within bounds.

    Raises:
        RefusedError: It is outside.
    """
    if not low <= value <= high:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"{what} {value:g}")
    return value


def _two(pattern: int) -> dict[int, int]:
    return {0: pattern >> 16, 1: pattern & 0xFFFF}


Clock = Callable[[], float]
"""Monotonic seconds."""
