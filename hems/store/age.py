"""Whether a store is the last that there was, or an older copy of it that was put back.

A copy is as genuine as the store: the same key, the same pages. So a counter in the key store's
hardware, which only goes up, goes up with each run, and the store, which is encrypted, has how far.
First the store has the next number, then the counter goes there: whenever the power goes, the store
is where the counter is, or one ahead; a copy from before that run is behind.

`hems.db.count` beside `hems.db` says where the counter is. Without hardware there is none.
"""

import asyncio
import logging
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.keys.counting import Counter
from certs.keys.erasing import overwrite
from certs.keys.errors import KeyStoreGoneError
from certs.keys.store import KeyStore
from hems.store.cipher import StoreFile, opened
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.store.sqlite import store_errors

_log = logging.getLogger(__name__)

_KEPT: Final = "counter of the store"
_BEGUN: Final = "begun"
"""Kept while the counter is made: it may count further than is known here."""


def count_path(store: Path) -> Path:
    """Return the file that says where the counter of a store is."""
    return store.with_name(f"{store.name}.count")


def behind(kept: str, label: str, counted: int | None) -> bool:
    """Return whether a store is not the last that there was.

    Args:
        kept: What it has of the counter; empty for nothing.
        label: Of the kind of hardware that counts now.
        counted: How far that has counted; None where there is no counter.
    """
    kind, _, number = kept.rpartition(" ")
    if not kept:
        return counted is not None
    if kind != label or number == _BEGUN:  # other hardware, for which another counter is made
        return False
    return counted is None or number not in {str(counted), str(counted + 1)}


class StoreAge:
    """The counter of one store.

    Args:
        path: The store's file.
        settings: Where the store has how far the counter is.
        keys: The hardware that counts, if it is any.
    """

    def __init__(self, path: Path, settings: Settings, keys: KeyStore) -> None:
        self._settings = settings
        self._counter = keys.counter(count_path(path))

    async def behind(self) -> bool:
        """Return whether the store is not the last that there was; not where nobody can tell.

        A counter's file that was meddled with counts as an older copy: who puts one back could
        do that, too.
        """
        if self._counter is None:
            return False
        try:
            kept = (await self._settings.all()).get(_KEPT, "")
            return behind(kept, self._label, await asyncio.to_thread(_value, self._counter))
        except (KeyStoreGoneError, StoreError) as error:
            _log.warning("whether the store is the last that there was cannot be told: %s", error)
            return False
        except CertificateError as error:
            _log.warning("what says how old the store is cannot be used: %s", error)
            return True

    async def accept(self) -> None:
        """Take the store as it is for the last: it is new, a backup's, or what is left."""
        if self._counter is None:
            return
        try:
            number = await asyncio.to_thread(_value_or_new, self._counter)
            await self._keep("" if number is None else number)
        except (CertificateError, StoreError) as error:
            _log.warning("the store is not taken for the last that there was yet: %s", error)

    async def go_on(self) -> None:
        """Count one further; every copy of before is behind from here on."""
        if self._counter is None:
            return
        try:
            before = await asyncio.to_thread(_value, self._counter)
            await self._keep(_BEGUN if before is None else before + 1)
            number = await asyncio.to_thread(self._counter.up)
            if before is None or number != before + 1:
                await self._keep(number)
        except (CertificateError, StoreError) as error:
            _log.warning("the store's counter does not go on: %s", error)

    @property
    def _label(self) -> str:
        return "" if self._counter is None else self._counter.counters.label

    async def _keep(self, number: int | str) -> None:
        await self._settings.put(_KEPT, f"{self._label} {number}" if number != "" else "")


def forget(file: StoreFile, keys: KeyStore) -> None:
    """Have a store go without its counter, which is erased: its key goes elsewhere.

    Args:
        file: The store; nobody else has it open.
        keys: The hardware that counts, if it is any.

    Raises:
        StoreError: The store cannot be written.
        CertificateError: The counter cannot be erased.
    """
    with store_errors(file.path), opened(file) as store:
        store.execute("DELETE FROM settings WHERE name = ?", (_KEPT,))
    path = count_path(file.path)
    if path.exists():
        keys.erase(path)


def _value(counter: Counter) -> int | None:
    return counter.value


def _value_or_new(counter: Counter) -> int | None:
    """Return how far a counter is; one that cannot be used any more gives way to a new one."""
    try:
        return counter.value
    except KeyStoreGoneError:
        raise
    except CertificateError:
        overwrite(counter.path)
        return None
