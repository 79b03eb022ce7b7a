"""The log that one utility keeps of this home: what is told to it, kept over restarts."""

from collections.abc import Callable, Coroutine
from typing import Any

from der.sentence import say
from hems.emg.alarm_log import AlarmLog
from hems.image import Image
from hems.sep2.enddevice.logevents import Happening, LogQueue
from hems.store.errors import StoreError
from hems.store.settings import Settings


class UtilityLog:
    """Turns the home's troubles into log events, and keeps those that wait.

    Args:
        name: Of the utility, under which the queue is kept.
        queue: What the utility is still to be told of.
        settings: Where the queue is kept.
        spawn: Runs work aside.
        alarm: Told what the owner should know.
    """

    def __init__(
        self,
        name: str,
        queue: LogQueue,
        settings: Settings,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        alarm: Callable[[str], None],
    ) -> None:
        self._name = f"log events {name}"
        self._queue = queue
        self._settings = settings
        self._spawn = spawn
        self._alarm = alarm
        self._alarms = AlarmLog()
        self._resumed = False
        queue.on_change = self._keep

    async def resume(self) -> None:
        """Take up what the utility was still to be told of; once."""
        if self._resumed:
            return
        self._resumed = True
        try:
            text = (await self._settings.all()).get(self._name)
            if text is not None:
                self._queue.load(text)
        except (StoreError, ValueError) as error:
            self._alarm(
                say("What the utility was still to be told of is not known: {error}", error=error)
            )
        if self._queue.first is not None:  # some of it may have happened before this was read
            self._keep()

    def take_image(self, image: Image) -> None:
        """Note what has begun or ended with the devices."""
        for happening in self._alarms.look(image):
            self._queue.add(happening)

    def add(self, happening: Happening) -> None:
        """Note something that was noticed elsewhere."""
        self._queue.add(happening)

    def certificate(self, at: float, text: str) -> None:
        """Note trouble with a certificate; `at` in UTC epoch seconds."""
        self._queue.add(self._alarms.certificate(at, text))

    def _keep(self) -> None:
        if self._resumed:
            self._spawn(self._save())

    async def _save(self) -> None:
        try:
            await self._settings.put(self._name, self._queue.dump())
        except StoreError as error:
            self._alarm(
                say("What the utility is still to be told of cannot be kept: {error}", error=error)
            )
