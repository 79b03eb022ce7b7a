"""The hub's own id towards other systems of the house: made once, kept for good."""

import logging
import uuid
from typing import Final

from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

_NAME: Final = "hub id"
_DIGITS: Final = 12


async def hub_id(settings: Settings) -> str:
    """Return the hub's id, twelve hexadecimal digits; made at the first call and then the same.

    Where it cannot be kept, it is made of this machine's network address.
    """
    try:
        kept = (await settings.all()).get(_NAME)
        if kept:
            return kept
        made = uuid.uuid4().hex[:_DIGITS]
        await settings.put(_NAME, made)
    except StoreError as error:
        _log.warning("the hub's id cannot be kept: %s", error)
        return f"{uuid.getnode():0{_DIGITS}x}"
    return made
