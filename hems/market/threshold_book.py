"""Net-benefits prices as the home keeps them: read again and again, never forgotten."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import ValidationError

from der.sentence import say
from hems.clock import Clock
from hems.market.thresholds import Kept, ThresholdError, parse
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

_KEY: Final = "net-benefits prices"
_RETRY_S: Final = 60.0


class ThresholdBook:
    """What the operator has published, month by month.

    Args:
        fetch: Returns the document; raises `ThresholdError` where it cannot be read.
        source: Where that is, as people may see it.
        refresh_s: How often it is read.
        kept: Where months outlive a restart, and the source.
        clock: Where the time comes from.
        alarm: Told in one sentence that it cannot be read; None that it can again.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        source: str,
        refresh_s: float,
        *,
        kept: Settings,
        clock: Clock,
        alarm: Callable[[str | None], None],
    ) -> None:
        self._fetch = fetch
        self._source = source
        self._refresh_s = refresh_s
        self._kept = kept
        self._clock = clock
        self._alarm = alarm
        self._known = Kept()

    @property
    def known(self) -> Kept:
        """All months that were ever told."""
        return self._known

    async def load(self) -> None:
        """Take up the months that are known."""
        try:
            text = (await self._kept.all()).get(_KEY)
            if text is not None:
                self._known = Kept.model_validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("the net-benefits prices of before are not known: %.200s", error)

    async def run(self) -> None:
        """Read the source until cancelled."""
        while True:
            well = await self.read()
            await asyncio.sleep(self._refresh_s if well else min(_RETRY_S, self._refresh_s))

    async def read(self) -> bool:
        """Read it once; returns whether that went well, and says if not."""
        try:
            told = await asyncio.to_thread(parse, await self._fetch())
        except ThresholdError as error:
            self._alarm(
                say(
                    "The net-benefits prices of {source} cannot be read: {error}.",
                    source=self._source,
                    error=error,
                )
            )
            return False
        self._alarm(None)
        self._known = self._known.joined(told, self._clock.now(), self._source)
        try:
            await self._kept.put(_KEY, self._known.model_dump_json(exclude_none=True))
        except StoreError as error:
            _log.warning("the net-benefits prices will not outlive a restart: %s", error)
        return True
