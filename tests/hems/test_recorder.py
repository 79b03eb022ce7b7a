"""The recorder: batches to a real store; a full disk costs the record, not the home."""

import asyncio
import itertools
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


class Doubting:
    """A clock that does not know the time until it is told."""

    def __init__(self, utc: float) -> None:
        self.utc, self.ran, self.known = utc, 5.0, False

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self.ran

    def run(self, seconds: float) -> None:
        self.utc += seconds
        self.ran += seconds


@pytest.mark.requirement("TIME-STAMP", "TIME-SERVER")
async def test_while_the_time_is_not_known_images_wait_and_are_put_right(store: Store) -> None:
    clock = Doubting(3_600.0)
    recorder = Recorder(store.history, store.effects, lambda _: None, clock=clock)
    for _ in range(60):
        recorder.take_image(image(clock.now(), 500.0))
        clock.run(1.0)
    await recorder.flush()
    assert await store.history.newest() is None
    begun = clock.now()
    clock.run(1.0)
    clock.utc += 1_000_000.0 * 60
    clock.known = True
    recorder.take_image(image(begun, 500.0))  # its reading had begun before
    recorder.take_image(image(clock.now(), 700.0))
    await recorder.flush()
    assert await store.history.newest() == clock.now()
    first = 3_600.0 + 60_000_000.0
    (series,) = await store.history.history(first, first + 120.0, 60)
    assert series.power_w == [500.0, pytest.approx(600.0)]


@pytest.mark.requirement("TIME-STAMP")
async def test_a_leap_second_doubles_no_second(store: Store) -> None:
    """UTC repeats a second: 61 images in a minute, and the minute's mean stays the mean."""
    recorder = Recorder(store.history, store.effects, lambda _: None)
    stamps = [*map(float, range(1_200, 1_260)), 1_259.0, *map(float, range(1_260, 1_320))]
    for at in stamps:
        recorder.take_image(image(at, 1_000.0))
    await recorder.flush()
    (series,) = await store.history.history(1_200.0, 1_320.0, 60)
    assert series.power_w == [1_000.0, 1_000.0]
    (series,) = await store.history.history(1_255.0, 1_265.0, 1)
    assert series.power_w == [1_000.0] * 10


@pytest.mark.requirement("TIME-STAMP")
async def test_a_sequence_is_resolved_to_a_millisecond(store: Store) -> None:
    """Of the events' effects as of samples, thirty years from now too."""
    at = 2_700_000_000.0
    for step in range(5):
        effect = Effect("E", f"mode{step}", "home", value=1.0, decided_at=at + step * 0.001)
        await store.effects.note([effect])
    told = sorted(e.decided_at for e in await store.effects.of_event("E") if e.decided_at)
    steps = [round((b - a) * 1e3, 3) for a, b in itertools.pairwise(told)]
    assert steps == [1.0] * 4
