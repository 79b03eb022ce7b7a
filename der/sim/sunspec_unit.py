"""What the SunSpec devices have in common: a register map that shows values and takes writes."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.modbus import Table
from der.sim.registers import BASE, Key, RegisterMap, Value

MAKER = "Simulated Home"
VERSION = "1.0"


class SunSpecDevice(Protocol):
    """What a register map shows and hands writes to."""

    @property
    def models(self) -> tuple[int, ...]:
        """The device's models, in order."""
        ...

    @property
    def scales(self) -> Mapping[Key, int]:
        """Its scale factors."""
        ...

    def values(self) -> dict[Key, Value]:
        """Return the points that it has, in engineering units."""
        ...

    def accept(self, values: Mapping[Key, float | None]) -> None:
        """Obey a write of whole points.

        Raises:
            RefusedError: A point or value that it does not take; nothing of the write is kept.
        """
        ...


class SunSpecUnit:
    """A SunSpec device as a Modbus unit: holding registers from 40000 on."""

    def __init__(self, device: SunSpecDevice) -> None:
        self.map = RegisterMap(device.models, device.scales)
        self._device = device

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Refuse: there are none."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"no bits at {address}, {count}, {table}")

    def read_registers(self, table: Table, address: int, count: int) -> list[int]:
        """Return holding registers within the map."""
        if table is not Table.HOLDING or not BASE <= address <= self.map.end - count:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{count} registers at {address}")
        start = address - BASE
        return self.map.image(self._device.values())[start : start + count]

    def write_coils(self, address: int, values: list[bool]) -> None:
        """Refuse: there are none."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"no coils at {address}: {values}")

    def write_registers(self, address: int, values: list[int]) -> None:
        """Hand a write over, whole points only."""
        self._device.accept(self.map.parse(address, values))


def common(model: str, serial: str) -> dict[Key, Value]:
    """Return the points of model 1."""
    return {
        (1, "Mn"): MAKER,
        (1, "Md"): model,
        (1, "Vr"): VERSION,
        (1, "SN"): serial,
        (1, "DA"): 1,
    }


def scales(model: int, exponents: Mapping[str, int]) -> dict[Key, int]:
    """Return a model's scale factors; each is the power of ten of the last digit kept."""
    return {(model, name): exponent for name, exponent in exponents.items()}


def in_words(values: Iterable[tuple[Key, float | None]]) -> str:
    """Write points down for the journal."""
    return " ".join(f"{name}={value:g}" for (_, name), value in values if value is not None)
