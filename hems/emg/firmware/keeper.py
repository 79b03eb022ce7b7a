"""Keeps the firmware lists: has them looked at at intervals, and remembers what was verified."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import ValidationError

from der.sentence import say
from hems.clock import Clock
from hems.emg.feeds.pace import wait_s
from hems.emg.firmware.lists import Known, Refreshed, known
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreError
from hems.store.settings import Settings

_NAME: Final = "firmware lists"
_AGAIN_S: Final = 900.0
"""After a failure it is looked at again so soon, and then ever later."""
_DAY_S: Final = 86_400.0
_OVERDUE_S: Final = 3 * _DAY_S
"""Whoever keeps news from a hub has it believe what it knows; after so long its owner is told."""

_log = logging.getLogger(__name__)


class ListKeeper:
    """The lists that count.

    Args:
        settings: Where they are kept.
        look: Fetches and verifies them; never raises.
        clock: Where the time comes from.
        every_s: How often, s.
        note: Told what bears on security.
        chance: Where what is left to chance is drawn from.
    """

    def __init__(
        self,
        settings: Settings,
        look: Callable[[], Awaitable[Refreshed]],
        clock: Clock,
        every_s: float,
        *,
        note: Note = unheard,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._look = look
        self._clock = clock
        self._every_s = every_s
        self._note = note
        self._chance = chance or random.SystemRandom()
        self._failures = 0
        self._refused: frozenset[str] = frozenset()
        self._began = clock.now()
        self.known = Known()
        self.changed: Callable[[], None] = lambda: None
        """Told when other lists count than before."""

    @property
    def overdue(self) -> str | None:
        """What the owner should know where nothing was verified for long; None where it was."""
        for_s = self._clock.now() - (self._began if self.known.at is None else self.known.at)
        if for_s < _OVERDUE_S + 2 * self._every_s:
            return None
        return say(
            "The firmware lists could not be verified for {days} days: the service provider is out "
            "of reach, or somebody keeps its news from the hub.",
            days=int(for_s // _DAY_S),
        )

    async def load(self) -> None:
        """Take up what was kept."""
        try:
            text = (await self._settings.all()).get(_NAME)
            if text is not None:
                self.known = Known.model_validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("the firmware lists of before cannot be read: %.200s", error)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            every_s, doublings = self._every_s, 0
            if self._failures:
                every_s, doublings = min(_AGAIN_S, self._every_s), self._failures - 1
            await asyncio.sleep(wait_s(every_s, doublings, self._chance.random()))

    async def look(self) -> None:
        """Look once."""
        found = await self._look()
        self._failures = self._failures + 1 if found.error else 0
        self._say(found)
        before, self.known = self.known, known(self.known, found, self._clock.now())
        if self.known == before:
            return
        self.changed()
        try:
            await self._settings.put(_NAME, self.known.model_dump_json())
        except StoreError as error:
            _log.warning("the firmware lists cannot be kept: %s", error)

    def _say(self, found: Refreshed) -> None:
        """Note what was refused; the same is not noted at every look."""
        refused: dict[str, str] = {}
        if found.error and found.hostile:
            refused[""] = say("The firmware lists are refused: {why}.", why=found.error)
        elif found.error:
            _log.info("the firmware lists cannot be had: %s", found.error)
            return
        for each in found.refused:
            refused[each.vendor] = say(
                "The firmware list of {vendor} is refused: {why}.", vendor=each.vendor, why=each.why
            )
        for vendor, text in refused.items():
            if text not in self._refused:
                self._note(SecurityEvent(EventKind.FIRMWARE_REFUSED, text, vendor))
        self._refused = frozenset(refused.values())
