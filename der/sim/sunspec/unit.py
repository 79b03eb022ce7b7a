"""What the SunSpec devices have in common: a register map that shows values and takes writes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault, FaultKind
from der.sim.modbus.server import Table
from der.sim.sunspec.registers import BASE, FLOATS, Key, RegisterMap, Value

MAKER = "Simulated Home"
VERSION = "1.0"

FRESH_S = 0.1
"""An image no older than this is shown again: the home itself moves no faster."""

SCALED = (101, 103, 111, 113, 201, 202, 203, 204, 213, 701)
"""Models whose power is wrong under `FaultKind.SCALE`."""
OTHER_SERIAL = "SIM-OTHER-1"
"""Of what answers under `FaultKind.EXCHANGED`."""
_SERIAL = (1, "SN")

WRONG_BY = 3
"""Powers of ten."""


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

    @property
    def counts(self) -> Mapping[Key, int]:
        """How often groups repeat in its models."""
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

    def restart(self) -> None:
        """Forget all that it was told."""
        ...


class SunSpecUnit:
    """A SunSpec device as a Modbus unit: holding registers from 40000 on.

    Args:
        device: What is shown.
        fault: What goes wrong with it; SCALE and STUCK are done here.
        moment: Stands for the state of the home: another object when the home has moved on.
        one_point: Whether it refuses frames that write more than one point, as some devices do.
        clock: Monotonic s.
    """

    def __init__(
        self,
        device: SunSpecDevice,
        fault: Fault,
        moment: Callable[[], object],
        *,
        one_point: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.map = RegisterMap(device.models, device.scales, device.counts)
        self._device = device
        self._fault = fault
        self._moment = moment
        self._one_point = one_point
        self._clock = clock
        self._image: list[int] = []
        self._fresh_until = -1.0
        self._shown_at: tuple[object, FaultKind] = (None, FaultKind.NONE)

    @property
    def shown(self) -> list[int]:
        """The registers that were shown last."""
        return self._image

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Refuse: there are none."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"no bits at {address}, {count}, {table}")

    def read_registers(self, table: Table, address: int, count: int) -> list[int]:
        """Return holding registers within the map."""
        if table is not Table.HOLDING or not BASE <= address <= self.map.end - count:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{count} registers at {address}")
        start = address - BASE
        return self._present()[start : start + count]

    def write_coils(self, address: int, values: list[bool]) -> None:
        """Refuse: there are none."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"no coils at {address}: {values}")

    def write_registers(self, address: int, values: list[int]) -> None:
        """Hand a write over, whole points only."""
        self._present()  # a stuck device shows what it showed before it was told anything
        points = self.map.parse(address, values)
        if self._one_point and len(points) > 1:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"one point at a time: {[*points]}")
        self._device.accept(points)
        self._fresh_until = -1.0

    def restart(self) -> None:
        """Stand as after a power cut."""
        self._device.restart()
        self._fresh_until = -1.0

    def _present(self) -> list[int]:
        now, kind = self._clock(), self._fault.kind
        if kind is FaultKind.STUCK and self._shown_at[1] is kind:
            return self._image
        if now >= self._fresh_until or not self._still(kind):
            self._image = self._fresh()
            self._fresh_until = now + FRESH_S
            self._shown_at = (self._moment(), kind)
        return self._image

    def _still(self, kind: FaultKind) -> bool:
        moment, shown = self._shown_at
        return moment is self._moment() and shown is kind

    def _fresh(self) -> list[int]:
        values = self._device.values()
        if self._fault.kind is FaultKind.EXCHANGED:
            values[_SERIAL] = OTHER_SERIAL
        if self._fault.kind is not FaultKind.SCALE:
            return self.map.image(values)
        for model in SCALED:
            power = self.map.points.get((model, "W"))
            watts = values.get((model, "W"))
            if power is not None and power.kind in FLOATS and isinstance(watts, float | int):
                values[model, "W"] = watts * 10**WRONG_BY
        image = self.map.image(values)
        for model in SCALED:
            scale = self.map.points.get((model, "W_SF"))
            if scale is not None:
                image[scale.address - BASE] = (image[scale.address - BASE] + WRONG_BY) & 0xFFFF
        return image


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
