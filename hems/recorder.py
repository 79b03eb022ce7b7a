"""Writes down what happened: samples in batches, effects as they come; never in anyone's way.

A full disk or a broken file costs the record, not the home: what cannot be written is kept for a
while, then dropped, and an alarm says so until writing works again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from der.model import Quality
from der.steps import StepWatch
from hems.clock import Clock, SystemClock, is_known
from hems.image import Image
from hems.store.effects import Effect, EffectLedger
from hems.store.errors import StoreError
from hems.store.history import History, Sample

FLUSH_EVERY_S: Final = 60.0
"""One transaction in this time keeps an SD card alive; a crash loses at most so much history. Who
reads the history has what waits written first, so that nothing is late."""
COUNTING_S: Final = 10.0
"""The same while an event is under way: what it had before a crash is not asked for again."""
AGAIN_S: Final = 10.0
"""After a write that failed: an alarm is to be over soon after its reason is."""
KEEP_IMAGES: Final = 3600


class Recorder:
    """Carries images and effects to the store.

    Args:
        history: Where samples go.
        effects: Where effects go.
        alarm: Told in one sentence when writing fails, and None when it works again.
        counting: Whether an event is under way, for which what is measured counts.
        clock: Where the time of the images comes from. While it does not know the time, they wait
            until it does, and are put right then.
    """

    def __init__(
        self,
        history: History,
        effects: EffectLedger,
        alarm: Callable[[str | None], None],
        counting: Callable[[], bool] = lambda: False,
        clock: Clock | None = None,
    ) -> None:
        self._history = history
        self._effects = effects
        self._alarm = alarm
        self._counting = counting
        self._clock = clock or SystemClock()
        self._steps = StepWatch(self._clock.now, self._clock.monotonic)
        self._unsure = False
        self._images: deque[Image] = deque(maxlen=KEEP_IMAGES)
        self._noted: deque[Effect] = deque(maxlen=KEEP_IMAGES)
        self._due = asyncio.Event()
        self._asked: asyncio.Event | None = None
        self._running = False
        self._failing = False

    def take_image(self, image: Image) -> None:
        """Remember an image for the next flush; no I/O."""
        known, step_s = is_known(self._clock), self._steps.step_s()
        if self._unsure and known:
            self._images = deque((_moved(i, step_s) for i in self._images), maxlen=KEEP_IMAGES)
            if abs(image.at - self._clock.now()) > abs(step_s) / 2:  # it began before
                image = _moved(image, step_s)
        self._unsure = not known
        self._images.append(image)

    def note(self, effect: Effect) -> None:
        """Remember an effect; it is written at once, after the device."""
        self._noted.append(effect)
        self._due.set()

    async def run(self) -> None:
        """Flush until cancelled, then once more."""
        self._running = True
        loop = asyncio.get_running_loop()
        next_flush = loop.time() + FLUSH_EVERY_S
        next_look = loop.time() + COUNTING_S
        try:
            while True:
                try:
                    async with asyncio.timeout_at(min(next_flush, next_look)):
                        await self._due.wait()
                except TimeoutError:
                    next_look = loop.time() + COUNTING_S
                    if loop.time() < next_flush and not self._counting():
                        continue
                    next_flush = loop.time() + FLUSH_EVERY_S
                    await self.flush()
                else:
                    self._due.clear()
                    await (self._write_effects() if self._asked is None else self.flush())
                if self._failing:
                    next_flush = min(next_flush, loop.time() + AGAIN_S)
        finally:
            self._running = False
            await self.flush()

    async def written(self) -> None:
        """Return when everything remembered up to now is written, or cannot be; never raises.

        It is written by `run`, so that whoever stops waiting does not stop the writing.
        """
        if self._running:
            asked = self._asked = self._asked or asyncio.Event()
            self._due.set()
            await asked.wait()

    async def flush(self) -> None:
        """Write everything remembered."""
        asked, self._asked = self._asked, None
        try:
            await self._flush()
        finally:
            if asked is not None:
                asked.set()

    async def _flush(self) -> None:
        effects_stand = await self._write_effects()
        if self._unsure:
            return
        images, self._images = self._images, deque(maxlen=KEEP_IMAGES)
        try:
            await self._history.append([s for image in images for s in samples(image)])
        except StoreError as error:
            self._images = deque([*images, *self._images], maxlen=KEEP_IMAGES)
            self._fail(error)
        else:
            if effects_stand:
                self._failing = False
                self._alarm(None)

    async def _write_effects(self) -> bool:
        noted, self._noted = self._noted, deque(maxlen=KEEP_IMAGES)
        try:
            await self._effects.note(list(noted))
        except StoreError as error:
            self._noted = deque([*noted, *self._noted], maxlen=KEEP_IMAGES)
            self._fail(error)
            return False
        return True

    def _fail(self, error: StoreError) -> None:
        self._failing = True
        self._alarm(f"History is not being written: {error}")


def _moved(image: Image, by_s: float) -> Image:
    return replace(image, at=image.at + by_s)


def samples(image: Image) -> list[Sample]:
    """Return what an image says that is worth keeping: good readings only."""
    return [
        Sample(
            at=image.at,
            device=state.spec.id,
            power_w=state.reading.power_w,
            soc=state.reading.soc,
            temp_c=state.reading.temp_c,
            voltage_v=state.reading.voltage_v,
        )
        for state in image.devices.values()
        if state.reading is not None and state.quality is Quality.GOOD
    ]
