"""A numbered slot of a SunSpec grid-support model: what it holds, what may be written to it."""

from dataclasses import dataclass

from der.drivers.sunspec.block import Block
from der.drivers.sunspec.model import repetitions
from der.drivers.sunspec.writer import Rounding, steps
from der.errors import PermanentError

Slot = dict[str, int]
"""Unscaled values of a slot's points, by their path within the slot ("ActPt", "Pt[1].V")."""


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot of a model as read.

    Attributes:
        device: Id of the device, for messages.
        block: The model.
        path: The slot ("Crv[2]").
    """

    device: str
    block: Block
    path: str

    @property
    def running(self) -> "SlotView":
        """Slot 1 of the same model: what the device runs."""
        return SlotView(self.device, self.block, f"{self.path.partition('[')[0]}[1]")

    @property
    def read_only(self) -> bool:
        """Whether the device keeps it for itself."""
        return self.block.number(f"{self.path}.ReadOnly") != 0

    @property
    def room(self) -> int:
        """Most points of a curve."""
        return repetitions(self.block.model, f"{self.path}.Pt")

    def has(self, name: str) -> bool:
        """Whether the device implements a point of the slot."""
        path = f"{self.path}.{name}"
        return path in self.block.model.points and self.block.has(path)

    def knows(self, name: str) -> bool:
        """Whether the model has such a point at all, whatever it reads."""
        return f"{self.path}.{name}" in self.block.model.points

    def number(self, name: str) -> float | None:
        """Return a point of the slot in its unit."""
        return self.block.number(f"{self.path}.{name}")

    def steps(self, name: str, value: float, rounding: Rounding) -> int:
        """Return a value as the point holds it.

        Raises:
            PermanentError: The device gives no scale factor for it.
        """
        exponent = self.block.exponent(f"{self.path}.{name}")
        if exponent is None:
            scale = self.block.model.points[f"{self.path}.{name}"].scale
            raise self.error(f"has no {scale}")
        return steps(value, exponent, rounding)

    def held(self) -> Slot:
        """Return what the slot holds: all points that can be written and are set.

        Points of a curve beyond its active ones are left out.
        """
        active = self.number("ActPt") if self.knows("ActPt") else None
        beyond = {f"Pt[{n}]" for n in range(int(active or 0) + 1, self.room + 1)}
        slot: Slot = {}
        for path, point in self.block.model.points.items():
            name = path.removeprefix(f"{self.path}.")
            if name == path or not point.writable or name.split(".")[0] in beyond:
                continue
            registers = self.block.raw(path)
            if registers is not None and self.block.has(path):
                slot[name] = signed(registers, point.type)
        return slot

    def error(self, what: str) -> PermanentError:
        """Return an error that names device and model."""
        return PermanentError(f"{self.device}: model {self.block.model.id} {what}")


def signed(registers: tuple[int, ...], kind: str) -> int:
    """Return the unscaled integer in registers."""
    value = 0
    for register in registers:
        value = value << 16 | register
    bits = 16 * len(registers)
    return value - (1 << bits) if kind.startswith("int") and value >> bits - 1 else value
