"""An hour of regulation over a restart of the hub, and over a clock that is set."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from hems.regulation import kept
from hems.regulation.period import Period
from hems.regulation.regulation import Regulation
from hems.store.store import Store, open_store
from programs.score import Sample
from tests.hems.regulation.rig import settings
from tests.hems.regulation.test_deciding import Around

pytestmark = pytest.mark.requirement("BUC-3")
BEGAN = 7200.0


def period() -> Period:
    samples = [Sample(0.5, 0.4)] * 30
    return Period("frequency", "frequency-2", "the home", BEGAN, 2e3, samples, BEGAN + 300)


@asynccontextmanager
async def opened(path: Path, around: Around) -> AsyncIterator[Store]:
    store = await open_store(path / "hems.db", around)
    try:
        yield store
    finally:
        await store.close()


async def begun(around: Around, store: Store) -> Regulation:
    """Return what a restarted hub has, once it has looked."""
    regulation = around.regulation(settings(), store.settings)
    await regulation.load()
    regulation.take_image(around.image())
    return regulation


async def test_what_is_kept_is_what_is_found() -> None:
    assert kept.load(kept.dump(period())) == period()
    assert kept.load(kept.dump(None)) is None


async def test_an_hour_goes_on_after_a_restart(tmp_path: Path) -> None:
    around = Around(at=BEGAN + 400)
    async with opened(tmp_path, around) as store:
        await store.settings.put(kept.NAME, kept.dump(period()))
        regulation = await begun(around, store)
        assert around.records == []
        around.left = {"frequency"}  # and nothing came of it since
        regulation.take_image(around.image(2))
    (record,) = around.records
    assert (record.starts_at, record.ends_at, record.event) == (BEGAN, BEGAN + 300, "frequency-2")
    assert record.measured_share == 1.0
    assert record.score is not None


async def test_an_hour_that_was_over_meanwhile_is_recorded_as_far_as_it_went(
    tmp_path: Path,
) -> None:
    around = Around(at=BEGAN + 5 * 3600)
    async with opened(tmp_path, around) as store:
        await store.settings.put(kept.NAME, kept.dump(period()))
        await begun(around, store)
    (record,) = around.records
    assert record.ends_at == BEGAN + 300


async def test_what_makes_no_sense_is_said_and_let_go(tmp_path: Path) -> None:
    around = Around(at=BEGAN + 400)
    async with opened(tmp_path, around) as store:
        for text in ("{", "[]", '{"programme": 1}', kept.dump(period()).replace("0.5", "NaN")):
            await store.settings.put(kept.NAME, text)
            await begun(around, store)
            assert around.records == []
            assert "is not known" in around.alarms["regulation record"]


async def test_it_is_written_down_at_the_end_and_not_recorded_twice(tmp_path: Path) -> None:
    around = Around(at=BEGAN + 400)
    async with opened(tmp_path, around) as store:
        await store.settings.put(kept.NAME, kept.dump(period()))
        regulation = await begun(around, store)
        around.set_by_s = -1000.0
        regulation.take_image(around.image(2))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await regulation.run()
        assert around.records == []
        found = kept.load((await store.settings.all())[kept.NAME])
    assert found is not None
    assert (found.starts_at, found.until) == (BEGAN - 1000, BEGAN - 700), "the clock was set"
    assert len(found.samples) == 30
