"""The utility's own pulse: states that change with time are announced, old things let go."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hems.clock import Clock
from hems.correlation import correlated, current
from hems.headend.errors import BusyError
from hems.headend.feeds import Feeds
from hems.headend.notifier import Notifier

HOUSEKEEPING_S = 60.0
_AT_ONCE = 100
"""Resources that are looked at before others have their turn."""

_log = logging.getLogger(__name__)


class Ticker:
    """Announces each change of an event's state when it falls due.

    Args:
        feeds: What may change by itself.
        notifier: Who is told.
        clock: The utility's time.
        keep_house: Lets go of what is old; called once a minute.
    """

    def __init__(
        self,
        feeds: Feeds,
        notifier: Notifier,
        clock: Clock,
        keep_house: Callable[[], Awaitable[None]],
    ) -> None:
        self._feeds = feeds
        self._notifier = notifier
        self._clock = clock
        self._keep_house = keep_house
        self._changed: dict[str, set[str]] = {}
        self._causes: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._kept_at = clock.monotonic()

    def changed(self, resource: str, mrid: str | None = None) -> None:
        """Have a resource announced that has just changed.

        Args:
            resource: Its path.
            mrid: The event in it that has changed, if one has.
        """
        self._changed.setdefault(resource, set()).update(() if mrid is None else (mrid,))
        self._causes[resource] = current()
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await self._housekeeping()
        while True:
            self._wake.clear()
            changed, self._changed = self._changed, {}
            causes, self._causes = self._causes, {}
            every = {**changed, **dict.fromkeys(self._feeds.resources())}
            for number, resource in enumerate(every, start=1):
                with correlated(causes.get(resource, "")):
                    self._notifier.announce(resource, changed.get(resource, ()))
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # homes' own lists are many
            if self._clock.monotonic() - self._kept_at >= HOUSEKEEPING_S:
                self._kept_at = self._clock.monotonic()
                await self._housekeeping()
                continue
            due = self._feeds.next_change()
            wait_s = pause_s(
                self._clock.monotonic() - self._kept_at,
                None if due is None else due - self._clock.now(),
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _housekeeping(self) -> None:
        try:
            await self._notifier.look()
            await self._keep_house()
        except BusyError as error:
            _log.warning("housekeeping is put off: %s", error)


def pause_s(since_kept_s: float, until_due_s: float | None) -> float:
    """Return how long to wait for the next round, in s.

    Args:
        since_kept_s: How long ago the last housekeeping was; the next is never late, however
            often events have called in between.
        until_due_s: When the next list changes by itself; None if none will.
    """
    left_s = HOUSEKEEPING_S - since_kept_s
    return max(left_s if until_due_s is None else min(left_s, until_due_s), 0.0)
