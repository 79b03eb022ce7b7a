"""Reads and writes the points of a described device over Modbus, in few frames."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.planning import Write
from der.drivers.mapped.points import Kind, Point, Table, Values, decode_all, same
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.frames import plan_frames
from der.errors import TransientError

_MOST_BITS: Final = 2000
"""Most bits that one Modbus read may ask for (application protocol V1.1b3, 6.1)."""
_NAMED: Final = 3
"""So many points are named for a frame; a message is for people."""

Frame = tuple[Table, int, int, str]
"""A read: table, address, count, and what to call it in messages."""
_Read = Callable[[int, int, str], Awaitable[Sequence[int]]]


class PointBus:
    """The points of one device on an open connection."""

    def __init__(self, bus: ModbusConnection, device: DeviceMap) -> None:
        self.bus = bus
        self._map = device
        self._frames: dict[tuple[str, ...], list[Frame]] = {}
        self._reads: Mapping[Table, _Read] = {
            Table.COIL: bus.read_coils,
            Table.DISCRETE: bus.read_discrete,
            Table.HOLDING: bus.read_holding,
            Table.INPUT: bus.read_input,
        }

    def frames(self, names: Iterable[str]) -> list[Frame]:
        """Return the reads that fetch some points; planned once for the same points."""
        wanted = tuple(names)
        if wanted not in self._frames:
            self._frames[wanted] = self._planned(wanted)
        return self._frames[wanted]

    def _planned(self, names: Sequence[str]) -> list[Frame]:
        points = [self._map.points[name] for name in names]
        frames: list[Frame] = []
        for table in Table:
            here = [point for point in points if point.table is table]
            most = _MOST_BITS if table.of_bits else self._map.bus.most
            spans = ((point.address, point.size) for point in here)
            for start, count in plan_frames(spans, most, self._map.bus.gap):
                inside = [p.name for p in here if start <= p.address < start + count]
                frames.append((table, start, count, _named(inside)))
        return frames

    async def read(self, names: Iterable[str]) -> Values:
        """Read some points.

        Raises:
            RefusalError: The device does not have them.
            TransientError: No usable answer.
        """
        wanted = list(names)
        cells: dict[tuple[Table, int], int] = {}
        for table, start, count, said in self.frames(wanted):
            found = await self._reads[table](start, count, said)
            cells.update({(table, start + i): int(cell) for i, cell in enumerate(found)})
        return decode_all({name: self._map.points[name] for name in wanted}, cells)

    async def write(self, writes: Iterable[Write]) -> None:
        """Carry writes out, one after the other, and read back what is to be verified.

        Raises:
            RefusalError: The device refuses one; those before it are done.
            TransientError: No usable answer, or the device did not take a value.
        """
        done: dict[str, Write] = {}
        for write in writes:
            if write.only_changes and await self._holds(write):
                continue
            await self._put(write)
            done[write.point.name] = write  # of two writes to a point the last one counts
        await self._verify([write for write in done.values() if write.verify])

    async def _put(self, write: Write) -> None:
        point, words = write.point, list(write.words)
        if point.kind is Kind.BIT:
            await self.bus.write_coil(point.address, bool(words[0]), point.name)
        elif self._map.bus.single and len(words) == 1:
            await self.bus.write_register(point.address, words[0], point.name)
        else:
            await self.bus.write_holding(point.address, words, point.name)

    async def _holds(self, write: Write) -> bool:
        point = write.point
        found = await self._reads[point.table](point.address, point.size, point.name)
        return same(point, write.words, [int(cell) for cell in found])

    async def _verify(self, writes: Sequence[Write]) -> None:
        cells: dict[tuple[Table, int], int] = {}
        for table, start, count, said in self.frames(write.point.name for write in writes):
            found = await self._reads[table](start, count, f"read-back of {said}")
            cells.update({(table, start + i): int(cell) for i, cell in enumerate(found)})
        for write in writes:
            point: Point = write.point
            seen = [cells[point.table, point.address + i] for i in range(point.size)]
            if not same(point, write.words, seen):
                raise TransientError(
                    f"{self.bus.device}: {point.name} at {self.bus.address} did not change: "
                    f"{list(write.words)} was written, {seen} is read back"
                )


def _named(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    if len(names) <= _NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
