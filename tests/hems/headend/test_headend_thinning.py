"""Old readings become quarters of an hour; what they add up to stays exact, whenever they come."""

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from hems.headend import thinner as thinner_module
from hems.headend.mirror_posts import MeterPost, ReadingsPost, Sample
from hems.headend.mirror_store import MirrorStore, PointPost
from hems.headend.models import ReadingRow, ThinnedRow
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.store import Store
from hems.headend.thinner import Thinner
from hems.headend.thinning import (
    SLOT_S,
    Key,
    Meaning,
    Raw,
    Slot,
    begins,
    key_of,
    merged,
    read,
    value_of,
    written,
)
from tests.hems.headend.conftest import Home, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")

T0 = 1_800_000_000 // SLOT_S * SLOT_S
DAY_S = 86_400
POWER, ENERGY = Meaning(38), Meaning(72)
GREATEST, LEAST = Meaning(38, 8), Meaning(38, 9)

raws = st.builds(
    Raw,
    st.integers(T0, T0 + 3 * SLOT_S),
    st.sampled_from([0, 1, 60, 300, 899, 900, 3600]),
    st.sampled_from(["", "0001", "0002"]),
    st.integers(-10_000, 10_000).map(float),
)


def only_once(readings: Sequence[Raw]) -> list[Raw]:
    """Return each reading by the first post of it, as a slot keeps it."""
    found: dict[tuple[Key, int, str], Raw] = {}
    for each in readings:
        found.setdefault((key_of(each), each.start, each.local_id), each)
    return list(found.values())


def slots_of(readings: Sequence[Raw], step: int) -> dict[Key, Slot]:
    """Return slots after readings that came some at a time."""
    slots: dict[Key, Slot] = {}
    for start in range(0, len(readings), step):
        by_key = defaultdict(list)
        for each in readings[start : start + step]:
            by_key[key_of(each)].append(each)
        for key, some in by_key.items():
            slot = merged(slots.get(key), key, some)
            assert slot is not None
            slots[key] = slot
    return slots


@given(
    st.lists(raws, min_size=1, max_size=30, unique_by=lambda r: (r.start, r.local_id)),
    st.integers(1, 30),
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_readings_come_changes_nothing(
    readings: list[Raw], step: int, shuffled: random.Random
) -> None:
    first = slots_of(readings, step)
    again = [*readings, *readings]
    shuffled.shuffle(again)
    assert slots_of(again, 3) == first, "nor does one that is posted again"


@given(st.lists(raws, min_size=1, max_size=30), st.integers(1, 30))
def test_what_readings_add_up_to_is_exact(readings: list[Raw], step: int) -> None:
    slots = slots_of(readings, step)
    kept = only_once(readings)
    if len({(r.start, r.local_id, key_of(r)) for r in readings}) == len(readings):
        spans = [r for r in kept if r.duration_s]
        energy = sum(value_of(s, ENERGY, kind) for (_, kind), s in slots.items() if kind)
        assert energy == sum(r.value for r in spans)
        work = sum(value_of(s, POWER, k[1]) * s.covered_s for k, s in slots.items())
        assert work == pytest.approx(sum(r.value * r.duration_s for r in spans), abs=1e-3)
    assert sum(slot.count for slot in slots.values()) == len(kept)
    for key, slot in slots.items():
        mine = [r for r in kept if key_of(r) == key]
        assert len(slot.marks) == slot.count
        assert slot.least <= value_of(slot, POWER, key[1]) + 1e-6
        assert value_of(slot, POWER, key[1]) <= slot.greatest + 1e-6
        assert all(key[0] <= r.start < key[0] + max(key[1], SLOT_S) for r in mine)
        assert read(written(slot.marks)) == slot.marks


@pytest.mark.parametrize(
    ("meaning", "duration_s", "value", "start"),
    [
        (POWER, 60, 200.0, T0),
        (POWER, 0, 200.0, T0),
        (Meaning(None), 60, 200.0, T0),
        (ENERGY, 60, 600.0, T0),
        (ENERGY, 0, 300.0, T0 + 120),
        (GREATEST, 60, 300.0, T0),
        (LEAST, 60, 100.0, T0),
    ],
)
def test_what_stands_for_a_slot(
    meaning: Meaning, duration_s: int, value: float, start: int
) -> None:
    readings = [Raw(T0 + 60 * n, duration_s, "", 100.0 * (n + 1)) for n in range(3)]
    (key,) = {key_of(each) for each in readings}
    slot = merged(None, key, readings)
    assert slot is not None
    assert (value_of(slot, meaning, key[1]), begins(slot, meaning, key)) == (value, start)


def test_a_mean_is_over_time_and_long_intervals_stay_as_they_are() -> None:
    slot = merged(None, (T0, SLOT_S), [Raw(T0, 60, "", 0.0), Raw(T0 + 60, 180, "", 100.0)])
    assert slot is not None
    assert value_of(slot, POWER, SLOT_S) == 75.0
    assert key_of(Raw(T0 + 10, 3600, "", 1.0)) == (T0 + 10, 3600)
    assert key_of(Raw(T0 + 10, 900, "", 1.0)) == (T0 + 10, 900)
    assert key_of(Raw(T0 + 899, 60, "", 1.0)) == (T0, SLOT_S)


# In the database, on SQLite and PostgreSQL


async def post(
    mirrors: MirrorStore, lfdi: str, readings: Sequence[Raw], uom: int = 38, mrid: str = "01" * 16
) -> None:
    point, _ = await mirrors.save_point(PointPost(lfdi, "CD" * 16, "0003", b""), [])
    samples = [Sample(r.start, r.duration_s, r.local_id, int(r.value)) for r in readings]
    meter = MeterPost(mrid, "net", uom, 1, 0, samples)
    await mirrors.save_meters(ReadingsPost(lfdi, point.id, [meter]))


async def counts(store: Store) -> tuple[int, int]:
    async with store.reading() as connection:
        return (
            (await connection.execute(select(func.count()).select_from(ReadingRow))).scalar_one(),
            (await connection.execute(select(func.count()).select_from(ThinnedRow))).scalar_one(),
        )


_young = itertools.count()


async def young(mirrors: MirrorStore) -> None:
    """Have a reading come after all others, which is not thinned."""
    await post(mirrors, "FF" * 20, [Raw(T0 + 100 * DAY_S + next(_young), 60, "", 1.0)])


def minutes(start: int, count: int) -> list[Raw]:
    return [Raw(start + 60 * n, 60, "", float(n)) for n in range(count)]


async def test_what_a_home_says_of_the_ends_of_time_stops_nothing(database: Path | str) -> None:
    """The quarter of an hour of the least of all times would begin before it."""
    store = await Store.open(database)
    await store.load()
    mirrors = MirrorStore(store)
    most = 2**32 - 1
    odd = [Raw(-(2**63), 60, "", 1.0), Raw(-1, most, "", 1.0), Raw(2**63 - 1, most, "", 1.0)]
    await post(mirrors, "AA" * 20, [*odd, Raw(0, most, "", 1.0)])
    await post(mirrors, "BB" * 20, minutes(T0, 30))
    await young(mirrors)
    thinner = Thinner(store, lambda: float(T0 + 3 * DAY_S), 2.0)
    assert await thinner.round() == 31
    assert await thinner.round() == 0
    assert await counts(store) == (4, 3)
    await mirrors.prune(0, float(T0 + 101 * DAY_S), 0)
    assert await counts(store) == (1, 3), "what was not thinned is forgotten"
    await store.close()


async def test_a_day_is_thinned_and_reads_as_before(database: Path | str) -> None:
    store = await Store.open(database)
    await store.load()
    mirrors, lfdi = MirrorStore(store), "AA" * 20
    now = float(T0 + 3 * DAY_S)
    readings = minutes(T0, 3 * 1440)
    await post(mirrors, lfdi, readings)
    before = await mirrors.readings(lfdi=lfdi, limit=100_000)
    thinner = Thinner(store, lambda: now, 2.0)
    assert await thinner.round() == 1440
    assert await counts(store) == (2 * 1440, 96)
    assert await thinner.round() == 0
    after = await mirrors.readings(lfdi=lfdi, limit=100_000)
    assert [r.start for r in after] == sorted((r.start for r in after), reverse=True)
    assert after[: 2 * 1440] == before[: 2 * 1440], "what is young stays as it is"
    old = after[2 * 1440 :]
    assert [r.start for r in old] == [T0 + SLOT_S * n for n in reversed(range(96))]
    assert (old[-1].value, old[-1].least, old[-1].greatest, old[-1].duration_s) == (7, 0, 14, 900)
    work = [sum(r.value * r.duration_s for r in found) for found in (before, after)]
    assert work[0] == pytest.approx(work[1], rel=1e-12)
    part = await mirrors.readings(lfdi=lfdi, since=T0 + DAY_S - SLOT_S, limit=3)
    assert [r.start for r in part] == [r.start for r in before[:3]]
    edge = await mirrors.readings(since=T0 + DAY_S - 2 * SLOT_S, limit=10_000)
    assert len(edge) == 2 * 1440 + 2
    assert await mirrors.readings(lfdi="BB" * 20) == []
    await mirrors.prune(0, now, T0 + DAY_S - SLOT_S)
    assert await counts(store) == (2 * 1440, 1)
    await store.close()


async def test_who_is_silent_for_long_is_still_shown(database: Path | str) -> None:
    store = await Store.open(database)
    await store.load()
    mirrors = MirrorStore(store)
    await post(mirrors, "AA" * 20, minutes(T0, 20))
    await post(mirrors, "BB" * 20, minutes(T0, 20), uom=72)
    await post(mirrors, "CC" * 20, [*minutes(T0, 20), *minutes(T0 + 3 * DAY_S, 1)])
    await Thinner(store, lambda: float(T0 + 4 * DAY_S), 2.0).round()
    latest = {each.lfdi: each for each in await mirrors.latest()}
    assert {lfdi: (e.start, e.value) for lfdi, e in latest.items()} == {
        "AA" * 20: (T0 + SLOT_S, 17.0),
        "BB" * 20: (T0 + SLOT_S, 15.0 + 16 + 17 + 18 + 19),
        "CC" * 20: (T0 + 3 * DAY_S, 0.0),
    }
    point = await mirrors.point(1)
    assert point is not None
    await mirrors.delete_point(point)
    assert (await counts(store))[1] == 4, "its thinned readings go with it"
    await store.close()


async def test_late_readings_are_merged_and_repeated_ones_are_not_counted_twice(
    database: Path | str,
) -> None:
    store = await Store.open(database)
    await store.load()
    mirrors, lfdi = MirrorStore(store), "AA" * 20
    thinner = Thinner(store, lambda: float(T0 + 3 * DAY_S), 2.0)
    readings = minutes(T0, 15)
    for some in (readings[::2], readings, readings[3:7]):
        await post(mirrors, lfdi, some, uom=72)
        await young(mirrors)
        await thinner.round()
    (found,) = await mirrors.readings(lfdi=lfdi)
    assert (found.value, found.duration_s) == (sum(range(15)), 900)
    assert await counts(store) == (3, 1)
    await store.close()


@pytest.mark.parametrize("workers", [1, 3])
async def test_it_goes_in_small_steps_and_by_any_number_of_workers(
    database: Path | str, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(thinner_module, "READINGS", 50)
    monkeypatch.setattr(thinner_module, "METERS", 2)
    monkeypatch.setattr(thinner_module, "_PAUSE", 0.0)
    stores = [await Store.open(database, 10.0) for _ in range(workers)]
    mirrors = MirrorStore(stores[0])
    homes = [f"{n:040X}" for n in range(5)]
    for lfdi in homes:
        await post(mirrors, lfdi, minutes(T0, 100), uom=72)
    thinners = [Thinner(store, lambda: float(T0 + 3 * DAY_S), 2.0) for store in stores]

    async def write() -> None:  # while homes go on posting
        for n in range(20):
            await post(mirrors, homes[n % 5], minutes(T0 + 3600 * 3 + 60 * n, 1), uom=72)

    await asyncio.gather(write(), *(each.round() for each in thinners))
    await young(mirrors)
    for each in thinners:
        await each.round()
    raw, _ = await counts(stores[0])
    assert raw == 1
    for lfdi in homes:
        found = await mirrors.readings(lfdi=lfdi)
        assert sum(each.value for each in found) == sum(range(100))
    for store in stores:
        await store.close()


@hypothesis_settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.lists(raws, max_size=8, unique_by=lambda r: (r.start, r.local_id)), max_size=5))
def test_the_database_keeps_what_the_rules_say(
    tmp_path_factory: pytest.TempPathFactory, posts: list[list[Raw]]
) -> None:
    async def run() -> None:
        store = await Store.open(tmp_path_factory.mktemp("thin") / "a.sqlite")
        await store.load()
        mirrors, lfdi = MirrorStore(store), "AA" * 20
        thinner = Thinner(store, lambda: float(T0 + 3 * DAY_S), 2.0)
        come: list[Raw] = []
        for some in posts:
            await post(mirrors, lfdi, some)
            await young(mirrors)
            await thinner.round()
            come += some
        wanted = slots_of(come, 1) if come else {}
        found = await mirrors.readings(lfdi=lfdi, limit=1000)
        assert sorted((r.start, r.duration_s, r.least, r.greatest) for r in found) == sorted(
            (key[0], slot.covered_s, slot.least, slot.greatest) for key, slot in wanted.items()
        )
        for each in found:
            assert any(
                each.value == pytest.approx(value_of(slot, POWER, key[1]), abs=1e-9)
                for key, slot in wanted.items()
                if key[0] == each.start
            )
        await store.close()

    asyncio.run(run())


async def test_numbers_of_readings_are_never_given_twice(database: Path | str) -> None:
    """Others count by them what has come since."""
    store = await Store.open(database)
    await store.load()
    mirrors = MirrorStore(store)
    thinner = Thinner(store, lambda: float(T0 + 3 * DAY_S), 2.0)
    given = 0
    for n in range(5):
        await post(mirrors, "AA" * 20, [Raw(T0 + 60 * n, 60, "", 1.0)])
        async with store.reading() as connection:
            number = (await connection.execute(select(func.max(ReadingRow.id)))).scalar_one()
        assert number > given
        given = number
        await thinner.round()
    await store.close()


async def test_the_operator_reads_both_as_one(
    settings: HeadEndSettings, head_end: HeadEnd, home: Home, operator: Operator
) -> None:
    del settings
    now = int(head_end.book._clock.now())
    start = (now - 3 * DAY_S) // SLOT_S * SLOT_S
    mirrors = MirrorStore(head_end.store)
    await post(mirrors, home.lfdi, [*minutes(start, 15), *minutes(now - 60, 1)])
    await Thinner(head_end.store, lambda: float(now), 2.0).round()
    _, told = await operator.ask("GET", f"/homes/{home.lfdi}/readings")
    young, old = told["readings"]
    assert (young["start"], young["least"]) == (now - 60, None)
    assert (old["start"], old["value"], old["least"], old["greatest"]) == (start, 7, 0, 14)
    assert (await operator.ask("GET", "/readings"))[1] == told
    assert (await operator.ask("GET", f"/readings?since={now - DAY_S}"))[1]["readings"] == [young]


async def test_it_can_be_told_not_to(database: Path | str) -> None:
    store = await Store.open(database)
    await asyncio.wait_for(Thinner(store, lambda: 0.0, 0).run(), 5)
    await store.close()
