"""The recorder: batches to a real store; a full disk costs the record, not the home."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems import recorder as recorder_module
from hems.clock import SystemClock
from hems.image import Image
from hems.recorder import Recorder, samples
from hems.store.effects import Effect
from hems.store.errors import StoreError, StoreFullError
from hems.store.history import Sample
from hems.store.store import Store, open_store
from tests.waiting import until

METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)


def image(at: float, power_w: float, quality: Quality = Quality.GOOD) -> Image:
    state = DeviceState(METER, Reading(at, power_w), quality)
    return Image(at, int(at), {"meter": state})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", SystemClock())
    yield opened
    await opened.close()


def test_only_good_readings_are_kept() -> None:
    assert len(samples(image(1.0, 100.0))) == 1
    assert samples(image(1.0, 100.0, Quality.STALE)) == []


@pytest.mark.requirement("TIME-STAMP")
async def test_images_come_back_as_history(store: Store) -> None:
    alarms: list[str | None] = []
    recorder = Recorder(store.history, store.effects, alarms.append)
    for second in range(120, 180):
        recorder.take_image(image(float(second), 1000.0))
    await recorder.flush()
    (series,) = await store.history.history(120.0, 180.0, 60)
    assert series.power_w == [1000.0]
    assert alarms == [None]


async def test_effects_are_written_at_once_and_what_is_left_at_the_end(store: Store) -> None:
    recorder = Recorder(store.history, store.effects, lambda _: None)
    running = asyncio.create_task(recorder.run())
    recorder.note(Effect("E", "import-limit", "home", value=1500.0, received_at=5.0))
    await until(lambda: store.effects.of_event("E"), bool, 5.0, "the effect is written")
    recorder.take_image(image(60.0, 500.0))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (series,) = await store.history.history(60.0, 61.0, 1)
    assert series.power_w == [500.0]


async def test_while_an_event_counts_it_is_written_more_often(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "COUNTING_S", 0.3)
    under_way, asked = False, asyncio.Event()

    def counting() -> bool:
        asked.set()
        return under_way

    async def written() -> list[float | None]:
        found = await store.history.history(60.0, 61.0, 1)
        return [power for series in found for power in series.power_w]

    recorder = Recorder(store.history, store.effects, lambda _: None, counting)
    running = asyncio.create_task(recorder.run())
    recorder.take_image(image(60.0, 500.0))
    await asked.wait()
    assert await written() in ([], [None]), "no event: it waits for its minute"
    under_way = True

    async def press() -> None:
        while True:  # what is written at once puts nothing off
            recorder.note(Effect("E", "import-limit", "home", value=1500.0, received_at=5.0))
            await asyncio.sleep(0.005)

    pressing = asyncio.create_task(press())
    await until(written, lambda found: found == [500.0], 5.0, "it is written")
    pressing.cancel()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


class Full:
    """A history whose disk is full for a while."""

    def __init__(self) -> None:
        self.full = True
        self.kept: list[Sample] = []

    async def append(self, batch: list[Sample]) -> None:
        if self.full:
            raise StoreFullError("hems.db: the disk is full")
        self.kept += batch


async def test_a_full_disk_is_an_alarm_and_nothing_recent_is_lost(store: Store) -> None:
    history, alarms = Full(), list[str | None]()
    recorder = Recorder(history, store.effects, alarms.append)  # type: ignore[arg-type]
    recorder.take_image(image(1.0, 1.0))
    await recorder.flush()
    assert alarms[-1] is not None
    assert "disk is full" in alarms[-1]
    history.full = False
    recorder.take_image(image(2.0, 2.0))
    await recorder.flush()
    assert [s.power_w for s in history.kept] == [1.0, 2.0]
    assert alarms[-1] is None
    assert issubclass(StoreFullError, StoreError)


async def test_who_reads_finds_what_was_taken_just_before(store: Store) -> None:
    recorder = Recorder(store.history, store.effects, lambda _: None)
    store.before_reading(recorder.written)
    recorder.take_image(image(60.0, 500.0))
    assert list(await store.history.history(60.0, 61.0, 1)) == []  # it does not run: nothing waits
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    gone = asyncio.create_task(store.history.history(60.0, 61.0, 1))
    await asyncio.sleep(0)
    gone.cancel()  # a reader that does not stay costs nothing that is being written
    recorder.take_image(image(61.0, 700.0))
    (series,) = await store.history.history(60.0, 62.0, 1)
    assert series.power_w == [500.0, 700.0]
    running.cancel()
    await asyncio.wait({running})
    await store.history.history(60.0, 61.0, 1)  # its end holds up nobody


async def test_what_could_not_be_written_is_tried_again_soon(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hems.recorder.AGAIN_S", 0.01)
    history, alarms = Full(), list[str | None]()
    recorder = Recorder(history, store.effects, alarms.append)  # type: ignore[arg-type]
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    recorder.take_image(image(1.0, 1.0))
    await recorder.written()
    assert alarms
    history.full = False

    async def said() -> str | None:
        return alarms[-1]

    await until(said, lambda text: text is None, 30.0, "it is written, and not a minute later")
    assert [s.power_w for s in history.kept] == [1.0]
    running.cancel()
    await asyncio.wait({running})
