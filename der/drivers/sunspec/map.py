"""The SunSpec models of one device, and reading points of several of them in few frames."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.drivers.modbus.connection import MAX_REGISTERS, ModbusConnection
from der.drivers.modbus.frames import plan_frames
from der.drivers.sunspec.block import Block, Located, Reader
from der.drivers.sunspec.model import load_model
from der.drivers.sunspec.scan import BASES, find_models
from der.errors import RefusalError

__all__ = ["BASES", "Located", "Plan", "SunSpecMap", "Wanted", "want"]

_TOO_MUCH: Final = frozenset({2, 3})
"""Exceptions by which devices refuse a frame that is too long, or touches what they lack."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a device lets itself be read.

    Attributes:
        most: Registers in one frame at most.
        across: Whether one frame may hold registers of several models.
    """

    most: int = MAX_REGISTERS
    across: bool = True


MANNERS: Final = (
    Manner(),
    Manner(across=False),
    *(Manner(most, across=False) for most in (64, 32, 16)),
)
"""What is tried, in order, when a device refuses to be read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Points of a model to be read.

    Attributes:
        at: The model.
        names: Paths of the points, scale factors included; in the device they all are there.
    """

    at: Located
    names: tuple[str, ...]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First register and number of registers of each point."""
        points = self.at.model.points
        return [(self.at.address + points[n].offset, points[n].size) for n in self.names]


def want(at: Located, names: Iterable[str] = (), *, between: bool = False) -> Wanted:
    """Ask for points of a model with their scale factors.

    Args:
        at: The model, as the device has it.
        names: Paths of the points; none for all of the model's. Those that lie beyond the model's
            end in this device are passed over; they read as None.
        between: Ask for all points that lie between the named ones too, because a frame that is
            to be written must give them back as they were.
    """
    points = at.model.points
    chosen = list(names) or list(points)
    chosen += [s for s in (points[name].scale for name in chosen) if isinstance(s, str)]
    if between:
        start, count = at.model.span(chosen)
        chosen = [p.name for p in points.values() if start <= p.offset < start + count]
    return Wanted(at, tuple(n for n in dict.fromkeys(chosen) if points[n].end <= at.size))


class SunSpecMap:
    """The models that a device has, laid out as it has them.

    Attributes:
        bus: The connection.
        models: By id; of several with one id the first one counts.
        ids: Numbers of all models in their order, also of those that are not kept.
    """

    def __init__(
        self, bus: ModbusConnection, models: Mapping[int, Located], ids: Sequence[int] = ()
    ) -> None:
        self.bus = bus
        self.models = models
        self.ids = tuple(ids)
        self.manner = MANNERS[0]

    @classmethod
    async def discover(cls, bus: ModbusConnection, known: Iterable[int]) -> "SunSpecMap":
        """Find the device's models.

        Args:
            bus: An open connection.
            known: Ids of the models to keep, which all are defined; others are passed over.

        Raises:
            PermanentError: Not a SunSpec device, or its list of models makes no sense.
            TransientError: No usable answer.
        """
        keep = frozenset(known)
        entries = await find_models(bus)
        models: dict[int, Located] = {}
        for entry in entries:
            if entry.model_id in keep and entry.model_id not in models:
                model = load_model(entry.model_id)
                models[entry.model_id] = Located(model, entry.address, entry.size)
        device = cls(bus, models, [entry.model_id for entry in entries])
        device.models = {**models, **await device._laid_out()}
        return device

    async def read(self, wanted: Sequence[Wanted], point: str) -> list[Block]:
        """Read parts of models once, in few frames; one block for each, in the same order.

        Raises:
            RefusalError: The device refuses addresses of its own map.
            TransientError: No usable answer.
        """
        return await Plan(self, wanted).read(point)

    async def _laid_out(self) -> dict[int, Located]:
        """Return the models with groups that repeat, with as many repetitions as there are."""
        repeating = [at for at in self.models.values() if at.model.repeats]
        counted = [want(at, at.model.counts) for at in repeating if at.model.counts]
        blocks = await self.read(counted, "SunSpec group counts")
        counts = {block.model.id: block for block in blocks}
        laid: dict[int, Located] = {}
        for at in repeating:
            block = counts.get(at.model.id)
            numbers = {} if block is None else block.numbers()
            known = {name: int(n) for name, n in numbers.items() if n is not None}
            laid[at.model.id] = replace(at, model=at.model.lay_out(known, at.size))
        return laid


class Plan:
    """Points that are read again and again: frames and decoding are worked out once.

    Args:
        device: Whose they are.
        wanted: The points, at most one entry for a model.
    """

    def __init__(self, device: SunSpecMap, wanted: Sequence[Wanted]) -> None:
        self._device = device
        self.wanted = tuple(wanted)
        self._reader = self._reader_for(device.manner)
        self._manner = device.manner
        self._hopeless = False

    @property
    def frames(self) -> Sequence[tuple[int, int]]:
        """(first register, count) of each frame that one reading takes."""
        return self._reader.frames

    async def read(self, point: str) -> list[Block]:
        """Read all; one block for each entry, in the same order.

        A device that refuses is tried with other, smaller frames, once; what it takes is
        remembered for all plans of the device.

        Raises:
            RefusalError: The device refuses addresses of its own map.
            TransientError: No usable answer.
        """
        if self._manner is not self._device.manner:
            self._use(self._device.manner)
        try:
            return await self._read(point)
        except RefusalError as refusal:
            if refusal.code not in _TOO_MUCH or self._hopeless:
                raise
            blocks = await self._search(point)
            if blocks is None:
                raise
            return blocks

    async def _read(self, point: str) -> list[Block]:
        bus = self._device.bus
        frames = [await bus.read_frame(start, count, point) for start, count in self.frames]
        return self._reader.blocks(b"".join(frames))

    async def _search(self, point: str) -> list[Block] | None:
        """Find a manner in which the device lets itself be read; None if there is none."""
        before = self._manner
        for manner in MANNERS[MANNERS.index(before) + 1 :]:
            refused = self.frames
            self._use(manner)
            if self.frames == refused:
                continue
            try:
                blocks = await self._read(point)
            except RefusalError:
                continue
            self._device.manner = manner
            return blocks
        self._use(before)
        self._hopeless = True
        return None

    def _use(self, manner: Manner) -> None:
        self._manner = manner
        self._reader = self._reader_for(manner)

    def _reader_for(self, manner: Manner) -> Reader:
        parts = [part.spans for part in self.wanted]
        together = [[span for spans in parts for span in spans]] if manner.across else parts
        frames = [frame for spans in together for frame in plan_frames(spans, manner.most)]
        return Reader(sorted(frames), [part.at for part in self.wanted])


def merged(wanted: Iterable[Wanted]) -> list[Wanted]:
    """Return one entry for each model, with the points of all its entries."""
    found: dict[int, Wanted] = {}
    for part in wanted:
        other = found.get(part.at.address)
        names = part.names if other is None else (*other.names, *part.names)
        found[part.at.address] = Wanted(part.at, tuple(dict.fromkeys(names)))
    return list(found.values())
