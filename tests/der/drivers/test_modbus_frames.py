"""Few frames for many points, within what a device allows."""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import ModbusAddress
from der.drivers.mapped.bus import PointBus
from der.drivers.mapped.device_map import BusRules, DeviceMap
from der.drivers.mapped.meaning import ReadingMap, Term
from der.drivers.mapped.points import Kind, Point, Table, decode_all
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.frames import plan_frames
from der.model import DeviceKind
from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.mapped.bank import BankUnit
from der.sim.modbus import server as modbus

SPANS = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 4)), max_size=30)
KINDS = [Kind.U16, Kind.S16, Kind.U32, Kind.S64, Kind.F32, Kind.F64]


@given(SPANS, st.integers(4, 125), st.none() | st.integers(0, 20))
def test_all_is_read_and_no_more_than_allowed(
    spans: list[tuple[int, int]], most: int, gap: int | None
) -> None:
    frames = plan_frames(spans, most, gap)
    read = {address for start, count in frames for address in range(start, start + count)}
    wanted = {address for start, count in spans for address in range(start, start + count)}
    assert wanted <= read
    assert frames == sorted(frames)
    for start, count in frames:
        assert count <= most or (start, count) in spans
        holes = 0
        for address in range(start, start + count):
            holes = 0 if address in wanted else holes + 1
            assert gap is None or holes <= gap
    for (start, count), (after, length) in pairwise(frames):
        far = gap is not None and after - (start + count) > gap
        assert far or after + length - start > most  # two that fit into one were joined


class Bank:
    """Registers and bits by chance."""

    def __init__(self, rng: random.Random, points: Sequence[Point]) -> None:
        self.here: dict[modbus.Table, dict[int, int]] = {table: {} for table in modbus.Table}
        for point in points:
            greatest = 1 if point.table.of_bits else 0xFFFF
            for place in range(point.address, point.address + point.size):
                self.here[modbus.Table[point.table.name]][place] = rng.randint(0, greatest)

    def cells(self) -> Mapping[modbus.Table, Mapping[int, int]]:
        return self.here

    def take(self, table: modbus.Table, address: int, values: Sequence[int]) -> None:
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{table} {address} {values}")

    def restart(self) -> None:
        raise NotImplementedError


@pytest.mark.requirement("SVC-READ")
@pytest.mark.parametrize("seed", range(8))
async def test_a_device_by_chance_is_read_as_it_is(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - registers, not a secret
    points: dict[str, Point] = {}
    for table in Table:
        address = rng.randint(0, 50)
        for _ in range(rng.randint(1, 30)):
            kind = Kind.BIT if table.of_bits else rng.choice(KINDS)
            name = f"{table}_{address}"
            order = rng.random() < 0.5
            points[name] = Point(name, table, address, kind, kind.size, little_words=order)
            address += kind.size + rng.choice([0, 0, 0, 1, 7, 200])
    bank = Bank(rng, list(points.values()))
    most = rng.choice([4, 20, 125])
    device = DeviceMap(
        "chance", "Chance", "Nobody", "", frozenset({DeviceKind.METER}), "none", "",
        BusRules(most=most, gap=0), points, ReadingMap((Term("power"),)),
    )  # fmt: skip
    fault = Fault("chance")
    server = modbus.ModbusServer("chance", BankUnit(bank, fault, most), fault)
    await server.start()
    try:
        connection = await ModbusConnection.open("box", ModbusAddress("127.0.0.1", server.port))
        found = await PointBus(connection, device).read(points)
        connection.close()
    finally:
        await server.stop()
    cells = {
        (Table[table.name], place): cell
        for table, here in bank.here.items()
        for place, cell in here.items()
    }
    assert found == decode_all(points, cells)
    assert len(found.numbers) > 0.9 * len(points)
