"""The start of a version that another one has given way to: what that one wrote is taken over."""

import asyncio
import logging
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from certs.keys.store import KeyStore
from der.sentence import say
from hems.commands.store_start import Opened
from hems.software.sides import sync
from hems.software.stores import OUT, tried
from hems.store.carry import carry_over
from hems.store.errors import StoreError
from hems.store.opening import openable

_log = logging.getLogger(__name__)


async def taken_back(store: Path, keys: KeyStore) -> str | None:
    """Take over what a version on trial has written, before the store is opened.

    It is tried once: later, what it has would be older than what the store has. Where the store
    cannot be opened at all the home runs on another one, and it is tried again when it can.

    Args:
        store: The store's file.
        keys: What holds its key.

    Returns:
        What the owner should know; None where nothing was left, or all is taken over.
    """
    left = tried(store)
    if left is None:
        return None
    try:
        other = await asyncio.to_thread(carry_over, store, left / store.name, keys)
        why = ", ".join(other)
    except StoreError as error:
        if not await asyncio.to_thread(openable, store, keys):
            _log.warning("what the other version has written is not taken over yet: %s", error)
            return None
        why = str(error)
    with suppress(OSError):
        (left / OUT).unlink()
        sync(left)  # done again after a power cut it would undo what came since
    if not why:
        shutil.rmtree(left, ignore_errors=True)
        _log.info("what the other version has written is taken over")
        return None
    return say(
        "Not all that the hub wrote with the version that was taken back could be taken over: "
        "{why}. It is kept in {folder}.",
        why=why,
        folder=str(left),
    )


def with_word(opened: Opened, text: str | None) -> Opened:
    """Return an opened store with what the owner should know of it."""
    return opened if text is None else replace(opened, trouble=opened.trouble or text)
