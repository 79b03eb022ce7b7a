"""Looks every now and then whether the hub's keys can be used, and says so once if they can't."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.keys.backend import Held
from certs.keys.opening import key_store
from certs.keys.store import KeyStore
from der.sentence import say
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.settings.config import Config

EVERY_S: Final = 15.0


class KeyWatch:
    """Watches a key store. The home is controlled without it; its utilities are not reached.

    Args:
        store: The store.
        files: The keys that the hub uses by it.
        alarm: Told in one sentence what the owner should know; None once it is over.
        note: Told once when they cannot be used, and once they can again.
        every_s: How often it looks.
    """

    def __init__(
        self,
        store: KeyStore,
        files: Sequence[Path],
        alarm: Callable[[str | None], None],
        note: Note = unheard,
        every_s: float = EVERY_S,
    ) -> None:
        self._store = store
        self._files = files
        self._alarm = alarm
        self._note = note
        self._every_s = every_s
        self._trouble_before: str | None = None

    async def run(self) -> None:
        """Watch until cancelled; plain keys need no watching."""
        if self._store.keeps is Held.PLAIN:
            self._alarm(None)
            return
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Look once; the hardware is waited for in another thread."""
        trouble = await asyncio.to_thread(self._trouble)
        self._alarm(trouble)
        if trouble != self._trouble_before:
            self._trouble_before = trouble
            text = trouble or say("The hub's keys can be used again.")
            self._note(SecurityEvent(EventKind.KEY_CHANGED, text, "keys"))

    def _trouble(self) -> str | None:
        try:
            self._store.check(self._files)
        except CertificateError as error:
            return say(
                "The hub's keys cannot be used: {error}. The home is controlled as before, but no "
                "new connection to a utility can be made until this is mended.",
                error=error,
            )
        return None


@asynccontextmanager
async def watched(
    config: Config, alarm: Callable[[str | None], None], note: Note = unheard
) -> AsyncIterator[None]:
    """Watch the keys of a configuration meanwhile.

    Raises:
        KeyStoreError: The key store that is configured cannot be made.
    """
    watch = KeyWatch(key_store(config.keys.settings), key_files(config), alarm, note)
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def key_files(config: Config) -> tuple[Path, ...]:
    """Return the keys that the hub uses by its key store: those it shows to utilities and others.

    Those for devices, chargers and brokers are read by their drivers, which want plain files.
    """
    found = [utility.key for utility in config.utility]
    if config.visibility.key is not None:
        found.append(config.visibility.key)
    return tuple(dict.fromkeys(found))
