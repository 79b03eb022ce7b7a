"""What the hub does about the age of its store: an older copy that was put back is told."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from der.sentence import say
from hems.commands.reign import ended
from hems.commands.store_start import Opened
from hems.security_event import EventKind, SecurityEvent
from hems.store.age import StoreAge
from hems.store.errors import StoreError
from hems.store.people import PeopleStore

_log = logging.getLogger(__name__)

SOON_S: Final = 60.0
"""A run that ends before this is not counted: hardware bears so many counts, and hubs may flap."""
DAY_S: Final = 86_400.0


async def dated(opened: Opened, path: Path, keys: KeyStore, *, restored: bool) -> Opened:
    """Return an opened store once it is known whether it is the last that there was.

    Args:
        opened: The store that is in use.
        path: The home's own store's file.
        keys: What holds its key.
        restored: Whether it is a backup's that was just put in place.
    """
    if opened.back is not None:  # another is used meanwhile
        return opened
    if restored:
        opened = _told_of(opened)
    age = StoreAge(path, opened.store.settings, keys)
    known = opened.trouble is not None
    if not known and not await age.behind():
        return replace(opened, age=age)
    await age.accept()
    if known:
        return replace(opened, age=age)
    await _log_out(opened.store.people)
    text = say(
        "What the hub remembers is an older copy: somebody has put it back, or the disk has. What "
        "came after it is missing: accounts and passwords may be former ones. Everybody is logged "
        "out. Look at the accounts, and restore a backup if there is a newer one."
    )
    event = SecurityEvent(EventKind.STORE_DAMAGED, text, about="store")
    return replace(opened, trouble=text, event=event, age=age)


def _told_of(opened: Opened) -> Opened:
    """Return an opened store with what the owner should know of a backup that is in its place."""
    text = say(
        "A backup was put in place: accounts, passwords and the list of trusted devices are those "
        "of its time. Programs must be let in anew, and consents given anew, for some may have "
        "been taken back since. Look at the accounts and the devices."
    )
    event = SecurityEvent(EventKind.CONFIG_CHANGED, text, about="store")
    return replace(opened, trouble=opened.trouble or text, event=opened.event or event)


@asynccontextmanager
async def counting(opened: Opened, soon_s: float = SOON_S) -> AsyncIterator[None]:
    """Have this run counted meanwhile, and each of its days.

    Args:
        opened: The store that is in use.
        soon_s: After how long the run counts.
    """
    if opened.age is None:
        yield
        return
    task = asyncio.create_task(_count(opened.age, soon_s), name="store's age")
    try:
        yield
    finally:
        await ended(task)


async def _count(age: StoreAge, pause_s: float) -> None:
    while True:
        await asyncio.sleep(pause_s)
        await age.go_on()
        pause_s = DAY_S


async def _log_out(people: PeopleStore) -> None:
    try:
        await people.remove_sessions([row.id for row in await people.sessions()])
    except StoreError as error:
        _log.warning("sessions of an older store stay: %s", error)
