"""Acts on messages that were acknowledged only."""

import asyncio
import contextlib
import logging
from typing import Final

from hems.headend.cim.service import Service
from hems.headend.errors import BusyError

_LOOK_S: Final = 2.0

_log = logging.getLogger(__name__)


class Worker:
    """Acts on them one after the other.

    Args:
        service: Has them.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def run(self) -> None:
        """Act on what waits, until cancelled."""
        while True:
            self._service.work.clear()
            try:
                found = await self._service.work_once()
            except BusyError as error:
                _log.warning("what was acknowledged waits: %s", error)
                found = False
            if not found:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._service.work.wait(), _LOOK_S)
