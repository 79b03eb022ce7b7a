"""Readings of many homes in one transaction: the same as one after the other, and all or none."""

import asyncio
import gc
import shutil
from asyncio.sslproto import SSLProtocol
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from hems.headend.errors import BusyError, RequestError, UnknownItemError
from hems.headend.mirror_posts import MeterPost, ReadingsPost, Sample, save_posts
from hems.headend.mirror_store import MirrorStore, PointPost
from hems.headend.models import MeterRow, PointRow, ReadingRow
from hems.headend.store import Store
from hems.headend.tls_buffers import READ_SIZE, use_small_buffers
from hems.sep2.resources import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
)
from tests.hems.headend.conftest import Home, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")

HOMES = ("AA" * 20, "BB" * 20)
Tables = tuple[list[tuple[object, ...]], ...]

samples = st.builds(
    Sample, st.integers(0, 3), st.integers(0, 60), st.sampled_from(["", "0001"]), st.integers(-9, 9)
)
meters = st.builds(
    MeterPost,
    st.sampled_from(["01" * 16, "02" * 16]),
    st.none() | st.sampled_from(["import", "export"]),
    st.none() | st.just(38),
    st.none() | st.sampled_from([1, 19]),
    st.none() | st.integers(-2, 2),
    st.lists(samples, max_size=3),
)
posts = st.builds(
    ReadingsPost, st.sampled_from(HOMES), st.integers(1, 3), st.lists(meters, max_size=3)
)


async def told(store: Store) -> Tables:
    """Return all that is known of meters and readings, without the numbers of rows."""
    meter = select(
        MeterRow.point,
        MeterRow.mrid,
        MeterRow.description,
        MeterRow.uom,
        MeterRow.flow,
        MeterRow.multiplier,
    )
    reading = select(
        MeterRow.point,
        MeterRow.mrid,
        ReadingRow.start,
        ReadingRow.local_id,
        ReadingRow.duration_s,
        ReadingRow.value,
    ).join(ReadingRow, ReadingRow.meter == MeterRow.id)
    async with store.reading() as connection:
        found = [await connection.execute(query) for query in (meter, reading)]
        return tuple(sorted((tuple(row) for row in rows), key=repr) for rows in found)


async def points(mirrors: MirrorStore) -> None:
    """Make point 1 of the first home and point 2 of the second."""
    for number, lfdi in enumerate(HOMES, start=1):
        point, new = await mirrors.save_point(PointPost(lfdi, "CD" * 16, "0003", b""), [])
        assert (point.id, new) == (number, True)


def outcome(result: Sequence[tuple[int, bool]] | BaseException) -> object:
    if isinstance(result, BaseException):
        return type(result)
    return [new for _, new in result]


@given(st.lists(posts, max_size=6))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_together_is_the_same_as_one_after_the_other(
    tmp_path: Path, wanted: list[ReadingsPost]
) -> None:
    async def empty() -> None:
        store = await Store.open(blank)
        await points(MirrorStore(store))
        await store.close()

    async def run() -> None:
        stores = [await Store.open(path) for path in files]
        both, alone = stores
        try:
            at_once = await both.transact(lambda connection: save_posts(connection, wanted))
            in_turn: list[Sequence[tuple[int, bool]] | BaseException] = []
            for post in wanted:
                in_turn += await asyncio.gather(
                    MirrorStore(alone).save_meters(post), return_exceptions=True
                )
            assert [outcome(each) for each in at_once] == [outcome(each) for each in in_turn]
            assert await told(both) == await told(alone)
        finally:
            for store in stores:
                await store.close()

    blank = tmp_path / "blank.db"
    if not blank.exists():
        asyncio.run(empty())
    files = [tmp_path / f"{name}.db" for name in ("together", "alone")]
    for path in files:
        for left in tmp_path.glob(f"{path.name}*"):
            left.unlink()
        shutil.copy(blank, path)
    asyncio.run(run())


async def test_a_point_of_another_home_takes_nothing(database: Path | str) -> None:
    store = await Store.open(database)
    mirrors = MirrorStore(store)
    await points(mirrors)
    meter = MeterPost("01" * 16, "import", 38, 1, 0, [Sample(5, 60, "", 7)])
    results = await asyncio.gather(
        mirrors.save_meters(ReadingsPost(HOMES[0], 2, [meter])),
        mirrors.save_meters(ReadingsPost(HOMES[0], 1, [meter])),
        mirrors.save_meters(ReadingsPost(HOMES[1], 99, [meter])),
        return_exceptions=True,
    )
    assert [outcome(each) for each in results] == [UnknownItemError, [True], UnknownItemError]
    assert [(r.lfdi, r.value) for r in await mirrors.readings()] == [(HOMES[0], 7.0)]
    await store.close()


async def test_many_homes_at_once_are_all_kept(database: Path | str) -> None:
    store = await Store.open(database)
    mirrors = MirrorStore(store)
    homes = [f"{n:040X}" for n in range(40)]
    made = [
        (await mirrors.save_point(PointPost(each, "CD" * 16, "0003", b""), []))[0] for each in homes
    ]

    def post(number: int, start: int) -> ReadingsPost:
        sample = Sample(start, 60, "", number)
        meter = MeterPost("01" * 16, None, 38, 1, 1, [sample])
        return ReadingsPost(homes[number], made[number].id, [meter])

    for start in (60, 120):
        done = await asyncio.gather(*(mirrors.save_meters(post(n, start)) for n in range(40)))
        assert [each[0][1] for each in done] == [start == 60] * 40
    kept = await mirrors.readings()
    assert sorted((r.lfdi, r.start, r.value) for r in kept) == [
        (homes[n], start, 10.0 * n) for n in range(40) for start in (60, 120)
    ]
    await store.close()


async def test_a_transaction_is_undone_where_its_work_raises(database: Path | str) -> None:
    store = await Store.open(database)
    mirrors = MirrorStore(store)
    await points(mirrors)
    meter = MeterPost("01" * 16, "import", 38, 1, 0, [Sample(5, 60, "", 7)])

    def spoilt(connection: Connection) -> None:
        assert save_posts(connection, [ReadingsPost(HOMES[0], 1, [meter])])
        raise RequestError("no")

    with pytest.raises(RequestError):
        await store.transact(spoilt)
    assert await told(store) == ([], [])
    await mirrors.save_meters(ReadingsPost(HOMES[0], 1, [meter]))
    assert len(await mirrors.readings()) == 1
    await store.close()


async def test_a_locked_file_is_busy_and_works_again(file: Path) -> None:
    store, other = await Store.open(file, 0.05), await Store.open(file, 0.05)
    mirrors = MirrorStore(store)
    await points(mirrors)
    meter = MeterPost("01" * 16, "import", 38, 1, 0, [Sample(5, 60, "", 7)])
    post = ReadingsPost(HOMES[0], 1, [meter])
    async with other.writing() as connection:
        await connection.execute(select(PointRow.id))
        with pytest.raises(BusyError):
            await mirrors.save_meters(post)
    await mirrors.save_meters(post)
    assert [r.value for r in await mirrors.readings()] == [7.0]
    await store.close()
    await other.close()


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SSLProtocol, "max_size", SSLProtocol.max_size)
    use_small_buffers()


@pytest.mark.usefixtures("small_buffers")
async def test_a_body_of_many_reads_arrives_whole(home: Home, operator: Operator) -> None:
    point = MirrorUsagePoint(
        mrid="AB" * 16, role_flags=3, service_category_kind=0, status=1, device_lfdi=home.lfdi
    )
    made = await home.ask("POST", "/mup", point)
    held = [each for each in gc.get_objects() if isinstance(each, SSLProtocol)]
    assert len(held) >= 2  # both ends
    assert {len(each._ssl_buffer) for each in held} == {READ_SIZE}  # type: ignore[attr-defined] # of its own
    readings = tuple(
        Reading(value=n, time_period=DateTimeInterval(start=1_800_000_000 + n, duration=1))
        for n in range(3000)
    )
    group = MirrorReadingSet(
        mrid="CD" * 16,
        time_period=DateTimeInterval(start=1_800_000_000, duration=3000),
        reading=readings,
    )
    body = MirrorMeterReadingList(
        all=1,
        results=1,
        mirror_meter_reading=(MirrorMeterReading(mrid="01" * 16, mirror_reading_set=(group,)),),
    )
    assert (await home.ask("POST", made.location, body)).status == 201
    _, seen = await operator.ask("GET", f"/homes/{home.lfdi}/readings?limit=5000")
    values = {reading["value"] for reading in seen["readings"]}
    assert max(values) == 2999.0
    assert len(values) >= 1000
