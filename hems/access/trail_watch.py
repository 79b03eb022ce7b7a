"""Looks whether the trail is as it was written, and seals its end beside the store.

A chain shows what was changed, taken out or moved within it, not what was cut off its end: that the
seal shows. It is signed by the key of the security log's seal, but neither can stand for the other.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.keys.store import KeyStore
from der.sentence import Sentence, say
from hems.access.journal import Journal
from hems.clock import Clock
from hems.emg.threats.assembly import head_file
from hems.emg.threats.head import Head, HeadError, HeadFile, Seal
from hems.security_event import EventKind, Note, SecurityEvent
from hems.store.chain import START
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

_MARK: Final = b"trail\0"
_EVER_SEALED: Final = "trail.sealed"
_EVERY_S: Final = 2.0
_DAY_S: Final = 86_400.0


def trail_path(store: Path) -> Path:
    """Return where the seal of a store's trail lies."""
    return store.with_name(f"{store.stem}-trail.json")


def trail_file(store: Path, keys: KeyStore) -> HeadFile:
    """Return where the end of a store's trail is sealed, by the key of the security log's seal.

    Args:
        store: The store's file.
        keys: Makes and holds the key.
    """
    seal = head_file(store, keys).seal
    own = Seal(
        lambda data: seal.sign(_MARK + data), lambda data, said: seal.own(_MARK + data, said)
    )
    return HeadFile(trail_path(store), own)


class TrailWatch:
    """See the module.

    Args:
        journal: The trail.
        head: Where its end is sealed.
        settings: Of the same store: they remember that it was ever sealed. One that an earlier
            version wrote never was, and misses no seal.
        clock: Where the time comes from.
        note: Told what is wrong with it.
    """

    def __init__(
        self, journal: Journal, head: HeadFile, settings: Settings, clock: Clock, note: Note
    ) -> None:
        self._journal = journal
        self._head = head
        self._settings = settings
        self._clock = clock
        self._note = note
        self._sealed: int | None = None
        self._looked_at: float | None = None

    async def look(self, *, restored: bool = False) -> None:
        """Look whether the trail is as it was written, and say so if it is not.

        Args:
            restored: Whether the store is a backup's: it may end before what was sealed.
        """
        try:
            wrong = await self._wrong(restored=restored)
        except StoreError as error:
            _log.warning("the trail cannot be looked through: %s", error)
            return
        self._looked_at = self._clock.monotonic()
        if wrong is not None:
            self._note(SecurityEvent(EventKind.LOG_BROKEN, wrong, about="trail"))

    async def seal(self) -> None:
        """Seal the end, if it has moved on; not before it is known that the former one is there."""
        if self._looked_at is None:
            return
        try:
            row = await self._journal.last()
            head = Head(0, START) if row is None else Head(row.seq, row.link)
            if head.seq != self._sealed:
                await asyncio.to_thread(self._head.write, head)
                if self._sealed is None:
                    await self._settings.put(_EVER_SEALED, "yes")
                self._sealed = head.seq
        except (StoreError, OSError, CertificateError) as error:
            _log.warning("the trail's end is not sealed: %s", error)

    @asynccontextmanager
    async def watched(self, *, own: bool, restored: bool) -> AsyncIterator[None]:
        """Watch the trail while the context lasts; its end is sealed before and after.

        Args:
            own: Whether it is the home's own; one that takes its place for a while ends unsealed.
            restored: Whether the store is a backup's.
        """
        if not own:
            yield
            return
        await self.look(restored=restored)
        await self.seal()
        task = asyncio.create_task(self.run(), name="trail")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.seal()

    async def run(self) -> None:
        """Look once a day, and seal what has been written, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            looked = self._looked_at
            if looked is None or self._clock.monotonic() - looked >= _DAY_S:
                await self.look()
            await self.seal()

    async def _was_sealed(self) -> bool:
        return _EVER_SEALED in await self._settings.all()

    async def _wrong(self, *, restored: bool) -> Sentence | None:
        try:
            head = await asyncio.to_thread(self._head.read)
        except HeadError as error:
            return say(
                "The seal at the end of the trail is not the hub's own: {error}.", error=error
            )
        except (OSError, CertificateError) as error:
            _log.warning("the seal of the trail cannot be looked at: %s", error)
            head = None
        else:
            if head is None and not restored and await self._was_sealed():
                return say("The seal at the end of the trail is missing.")
        noted = None if head is None or head.seq == 0 else head.link
        verdict = await self._journal.verify(noted)
        if verdict.broken_at is not None:
            return say(
                "Row {row} of the trail is not as it was written, or is missing.",
                row=verdict.broken_at,
            )
        if head is None or noted is None or verdict.known or restored:
            return None
        return say(
            "The trail was sealed at row {sealed} and now has {rows} rows: its end was cut off, or "
            "an older one was put in its place.",
            sealed=head.seq,
            rows=verdict.rows,
        )
