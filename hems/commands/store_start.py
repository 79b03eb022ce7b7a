"""The store at the hub's start: whatever is wrong with it, the home is controlled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from der.sentence import say
from hems.clock import Clock
from hems.security_event import EventKind, SecurityEvent
from hems.store.age import StoreAge
from hems.store.cipher import beginning
from hems.store.errors import (
    StoreAwayError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreKeyError,
)
from hems.store.key_file import key_path
from hems.store.opening import openable
from hems.store.sqlite import file_errors, read_through, set_aside
from hems.store.store import Store, deferred_store, meanwhile_store, open_store

EVERY_S: Final = 15.0
"""How often it is looked whether a key can be had again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The store that is in use.

    Attributes:
        store: It.
        trouble: What the owner should know of it, in an alarm that stays; None where all is well.
        event: The same for the log of security events.
        back: Returns whether the home's own, which could not be opened, could be now; None where
            it is in use. Blocks.
        age: Its counter; None while another is used in its place, or nobody has looked yet.
    """

    store: Store
    trouble: str | None = None
    event: SecurityEvent | None = None
    back: Callable[[], bool] | None = None
    age: StoreAge | None = None


async def opened_store(path: Path, clock: Clock, keys: KeyStore) -> Opened:
    """Open the store.

    A damaged one is set aside, and a new one used. One whose key cannot be had, that cannot be got
    at or cannot be set aside, is left as it is: another is used until it can. On a full disk it is
    opened as soon as there is room; until then each part that needs it says what it cannot do.

    Args:
        path: Its file.
        clock: Where the time comes from.
        keys: What holds its key.

    Raises:
        StoreError: It is another version's or another program's.
    """
    was = key_path(path).exists()
    try:
        gone = was and not await asyncio.to_thread(_begins, path)
        return _begun(await open_store(path, clock, keys), gone=gone)
    except StoreFullError:
        return Opened(deferred_store(path, clock, keys))
    except StoreKeyError as error:
        text = say(
            "The home's past and settings cannot be opened: {error}. Until that is mended the hub "
            "controls the home with an empty store, whose content is lost when it stops. The "
            "store itself is left as it is: bring back what holds its key, or restore a backup.",
            error=error,
        )
        event = SecurityEvent(EventKind.KEY_CHANGED, text, about="store")
        return Opened(meanwhile_store(path, clock), text, event, partial(openable, path, keys))
    except StoreAwayError as error:
        if not was:  # there never was one: the configuration is wrong
            raise
        return _left(path, clock, error)
    except StoreCorruptError as error:
        try:
            await asyncio.to_thread(read_through, path)
        except StoreAwayError as away:  # it may be whole, on a disk that does not give all of it
            return _left(path, clock, away)
        try:
            kept = set_aside(path, clock.now())
        except StoreError as other:  # the file is a mount of its own, say
            return _left(path, clock, error, other)
        after = await opened_store(path, clock, keys)
        text = say(
            "{error}; it is kept as {kept}, a new one is in use", error=error, kept=str(kept)
        )
        event = SecurityEvent(EventKind.STORE_DAMAGED, text, about="store")
        return Opened(after.store, text, event, after.back)


def _left(path: Path, clock: Clock, *errors: StoreError) -> Opened:
    """Return an empty store in the place of one that is left as it is: it cannot be got at."""
    text = say(
        "The home's past and settings cannot be reached: {error}. The hub controls the home "
        "with an empty store, whose content is lost when it stops. The store itself is left "
        "as it is: mend that, and start the hub again.",
        error="; ".join(map(str, errors)),
    )
    event = SecurityEvent(EventKind.STORE_DAMAGED, text, about="store")
    return Opened(meanwhile_store(path, clock), text, event, _not_by_itself)


def _begins(path: Path) -> bool:
    with file_errors(path):
        return bool(beginning(path))


def _not_by_itself() -> bool:
    return False


def _begun(store: Store, *, gone: bool) -> Opened:
    """Return a store in use.

    Args:
        store: It.
        gone: Whether there was one, of which the key alone is left.
    """
    if not gone:
        return Opened(store)
    text = say(
        "The store with the home's past and settings is gone, and its key is not: somebody has "
        "removed it, or the disk has lost it. A new, empty one is in use; restore a backup."
    )
    return Opened(store, text, SecurityEvent(EventKind.STORE_DAMAGED, text, about="store"))


@asynccontextmanager
async def awaited(
    opened: Opened, anew: Callable[[], None], every_s: float = EVERY_S
) -> AsyncIterator[None]:
    """Have the hub start anew once the store can be opened that could not be at the start.

    Args:
        opened: The store that is in use.
        anew: Ends the home in order and has the hub start anew.
        every_s: How often it is looked.
    """
    if opened.back is None:
        yield
        return
    task = asyncio.create_task(_await(opened.back, anew, every_s), name="store's key")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _await(back: Callable[[], bool], anew: Callable[[], None], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        if await asyncio.to_thread(back):
            anew()
            return
