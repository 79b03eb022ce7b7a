"""The enterprise's newest bulletin: asked for at intervals, and kept over a restart."""

import asyncio
import base64
import logging
import random
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, ValidationError

from certs.errors import CertificateError
from certs.signed import said_in
from der.sentence import said, say
from hems.bulletin import MOST_BULLETIN, Bulletin
from hems.clock import Clock
from hems.emg.feeds.line import Line, LineError
from hems.emg.feeds.pace import wait_s
from hems.emg.feeds.reader import Believed, BulletinError, read
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreError
from hems.store.settings import Settings

PATH: Final = "bulletin"
_NAME: Final = "feed"
_KIND: Final = "application/jose"

_log = logging.getLogger(__name__)


class _Kept(BaseModel):
    """What outlives a restart."""

    number: int = 0
    """Of the newest bulletin that was ever taken up."""
    document: str = ""
    """As it came, base64."""
    tag: str = ""


class Feed:
    """The newest bulletin.

    Args:
        settings: Where it is kept.
        line: To the enterprise.
        believed: Returns whose word counts now; it may block, and raise CertificateError.
        clock: Where the time comes from.
        every_s: How often it is asked, s.
        note: Told what bears on security.
        chance: Where what is left to chance is drawn from.
    """

    def __init__(
        self,
        settings: Settings,
        line: Line,
        believed: Callable[[], Believed],
        clock: Clock,
        every_s: float,
        *,
        note: Note = unheard,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._line = line
        self._believed = believed
        self._clock = clock
        self._every_s = every_s
        self._note = note
        self._chance = chance or random.SystemRandom()
        self._kept = _Kept()
        self._bulletin: Bulletin | None = None
        self._failures = 0
        self._refused = ""
        self.changed: Callable[[], None] = lambda: None
        """Told when there is a newer bulletin."""

    @property
    def bulletin(self) -> Bulletin | None:
        """The newest bulletin as long as it counts; None for none."""
        found = self._bulletin
        return None if found is None or found.expires <= self._clock.now() else found

    @property
    def lapsed(self) -> str | None:
        """What the owner should know where a bulletin has ended with none after it; else None."""
        if not self._kept.document or self.bulletin is not None:
            return None
        return say(
            "The service provider's bulletin has ended, and no newer one came: what it says of "
            "devices and firmware counts no more. Somebody may keep its news from the hub."
        )

    async def load(self) -> None:
        """Take up what was kept; whether it still counts is looked at anew."""
        try:
            text = (await self._settings.all()).get(_NAME)
            if text is not None:
                self._kept = _Kept.model_validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("the bulletin of before cannot be read: %.200s", error)
        if not self._kept.document:
            return
        document = base64.b64decode(self._kept.document)
        try:
            self._bulletin = await self._read(document)
        except BulletinError as error:
            _log.info("the bulletin of before does not count any more: %s", error)

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(wait_s(self._every_s, self._failures, self._chance.random()))

    async def look(self) -> None:
        """Ask once; what goes wrong is noted, and what was known stays."""
        try:
            got = await self._line.get(PATH, MOST_BULLETIN, kind=_KIND, tag=self._kept.tag)
        except LineError as error:
            self._failed(error)
            return
        self._failures = 0
        if got is None:
            return
        try:
            found = await self._read(got.body)
            self._check_same(found, got.body)
        except BulletinError as error:
            self._refuse(error)
            return
        self._refused = ""
        news = found.number > self._kept.number
        self._bulletin = found
        self._kept = _Kept(
            number=found.number, document=base64.b64encode(got.body).decode(), tag=got.tag
        )
        if news:
            self._note(
                SecurityEvent(
                    EventKind.FEED,
                    say(
                        "Bulletin {number} of {enterprise} was taken up.",
                        number=found.number,
                        enterprise=found.enterprise,
                    ),
                    source=found.enterprise,
                )
            )
        await self._keep()
        self.changed()

    async def _read(self, document: bytes) -> Bulletin:
        try:
            believed = await asyncio.to_thread(self._believed)
        except CertificateError as error:
            raise BulletinError(
                say("The service provider's bulletin cannot be checked: {error}.", error=error)
            ) from error
        return read(document, believed, self._clock.now(), self._kept.number)

    def _check_same(self, found: Bulletin, document: bytes) -> None:
        """Refuse what says other things under a number that was taken up; raises BulletinError."""
        if found.number != self._kept.number or not self._kept.document:
            return
        if said_in(document) != said_in(base64.b64decode(self._kept.document)):
            raise BulletinError(
                say(
                    "The service provider's bulletin is refused: number {number} came with other "
                    "words than before.",
                    number=found.number,
                ),
                replayed=True,
            )

    async def _keep(self) -> None:
        try:
            await self._settings.put(_NAME, self._kept.model_dump_json())
        except StoreError as error:
            _log.warning("the bulletin cannot be kept: %s", error)

    def _failed(self, error: LineError) -> None:
        self._failures += 1
        _log.info("the bulletin cannot be had: %s", error)
        if error.hostile:
            text = say("The service provider's bulletin cannot be had: {error}.", error=error)
            self._say_once(text, EventKind.SERVER_REFUSED)

    def _refuse(self, error: BulletinError) -> None:
        self._failures += 1
        kind = EventKind.REPLAY if error.replayed else EventKind.FEED_REFUSED
        self._say_once(said(error), kind)

    def _say_once(self, text: str, kind: EventKind) -> None:
        """Note a trouble; the same one is not noted at every look."""
        if text != self._refused:
            self._refused = text
            self._note(SecurityEvent(kind, text, source=PATH))
