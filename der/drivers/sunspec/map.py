"""The SunSpec models of one device: finding them, and reading several in few frames."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.modbus.connection import MAX_REGISTERS, ModbusConnection
from der.drivers.sunspec.model import HEADER_SIZE, Block, Model, load_model
from der.errors import PermanentError, RefusalError

BASES: Final = (40000, 50000, 0)
"""Where a SunSpec map may begin (SunSpec device information model specification, 6.2)."""

_MARKER: Final = (0x5375, 0x6E53)  # "SunS"
_END: Final = 0xFFFF
_MOST_MODELS: Final = 100
_ADDRESSES: Final = 65536


@dataclass(frozen=True, slots=True)
class Located:
    """A model in a device.

    Attributes:
        model: Its definition.
        address: Register of its id.
        size: Registers it has in this device, header included.
    """

    model: Model
    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Part of a model to be read: registers [start, end) counted from its id register."""

    at: Located
    start: int
    end: int


def plan_frames(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cover register spans with few reads.

    Args:
        spans: (first address, count) of what is wanted, each at least 1 register.

    Returns:
        (first address, count) of each read in ascending order. Near spans share a read, and the
        registers between them are read too; a span over the limit of one frame stays whole.
    """
    frames: list[tuple[int, int]] = []
    for start, count in sorted(spans):
        if frames:
            first, length = frames[-1]
            joined = max(first + length, start + count) - first
            if joined <= max(MAX_REGISTERS, length):
                frames[-1] = (first, joined)
                continue
        frames.append((start, count))
    return frames


def want(at: Located, names: Sequence[str] = ()) -> Wanted:
    """Ask for the named points with their scale factors, or for all points of a model."""
    points = at.model.points
    chosen = list(names) or list(points)
    scales = [s for s in (points[name].scale for name in chosen) if isinstance(s, str)]
    start, count = at.model.span([*chosen, *scales])
    return Wanted(at, start, min(start + count, at.size))


class SunSpecMap:
    """The models that a device has, by id."""

    def __init__(self, bus: ModbusConnection, models: Mapping[int, Located]) -> None:
        self.bus = bus
        self.models = models

    @classmethod
    async def discover(cls, bus: ModbusConnection, known: Iterable[int]) -> "SunSpecMap":
        """Find the device's models.

        Args:
            bus: An open connection.
            known: Ids of the models to keep; others are passed over.

        Raises:
            PermanentError: Not a SunSpec device, or its list of models makes no sense.
            TransientError: No usable answer.
        """
        keep = frozenset(known)
        address = await _find_marker(bus) + len(_MARKER)
        models: dict[int, Located] = {}
        for _ in range(_MOST_MODELS):
            model_id, length = await bus.read_holding(address, HEADER_SIZE, "SunSpec model header")
            if model_id == _END:
                return cls(bus, models)
            if model_id in keep and model_id not in models:
                models[model_id] = Located(load_model(model_id), address, HEADER_SIZE + length)
            address += HEADER_SIZE + length
            if address + HEADER_SIZE > _ADDRESSES:
                break
        raise PermanentError(f"{bus.device}: the SunSpec model list at {bus.address} does not end")

    async def read(self, wanted: Sequence[Wanted], point: str) -> list[Block]:
        """Read parts of models, in few frames; one block for each, in the same order.

        Raises:
            RefusalError: The device refuses addresses of its own map.
            TransientError: No usable answer.
        """
        frames = plan_frames(
            (part.at.address + part.start, part.end - part.start)
            for part in wanted
            if part.end > part.start
        )
        registers: dict[int, int] = {}
        for start, count in frames:
            values = await self.bus.read_holding(start, count, point)
            registers.update(enumerate(values, start))
        return [
            Block(
                part.at.model,
                {
                    offset: registers[part.at.address + offset]
                    for offset in range(part.start, part.end)
                },
            )
            for part in wanted
        ]


async def _find_marker(bus: ModbusConnection) -> int:
    for base in BASES:
        try:
            marker = await bus.read_holding(base, len(_MARKER), "SunSpec marker")
        except RefusalError:
            continue  # many devices refuse addresses outside their map; the next base may do
        if marker == _MARKER:
            return base
    raise PermanentError(f"{bus.device}: no SunSpec map at {bus.address} (no 'SunS' marker)")
