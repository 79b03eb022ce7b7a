"""What the home does now and then: report, follow renewed certificates, look after the store."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Final

from certs.revocation import REFRESH_S
from der.sentence import say
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreAwayError, StoreCorruptError, StoreError
from hems.store.store import Store

_log = logging.getLogger(__name__)

REPORT_S: Final = 60
PRUNE_S: Final = 6 * 3600
SAMPLES_KEPT_S: Final = 86400.0
"""Every sample; after that, minute means."""
MINUTES_KEPT_S: Final = 35 * 86400.0
"""Minute means; after that, quarter-hours. An event of a month is settled by its minutes."""
REFUSED_KEPT_S: Final = 90 * 86400.0
"""Of those who asked to see what is measured and were refused."""
LONG_KEPT_S: Final = 10 * 366 * 86400.0
"""Quarter-hours, effects, accounts, performance and what is measured of the grid."""
CLEARED: Final = "cleared as of"
"""Setting: the time by which records were last cleared, UTC epoch seconds."""
_AT_MOST_S: Final = 86400.0


def cleared_by(before: str, now: float) -> float:
    """Return the time by which records are cleared: a day further each time, and no more.

    A clock that was set to a year to come would else have all forgotten in one go. A hub that was
    off for a month is up to date again some days later.

    Args:
        before: The time by which they were last cleared, as it was kept; empty for never.
        now: UTC epoch seconds.
    """
    try:
        last = float(before)
    except ValueError:
        return now
    return min(now, last + _AT_MOST_S) if math.isfinite(last) else now


class Housekeeping:
    """Does it, each at its own pace, by the loop's own timers.

    Args:
        store: What is cleared.
        clock: Where the time comes from.
        alarm: Told in one sentence that old records could not be cleared.
        report: Tells the utilities what the home is and does.
        refresh: Reads renewed certificates and revocation lists.
        damaged: Told in one sentence that the store is not as it was written; None once it is.
        note: Told the same for the log of security events.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        alarm: Callable[[str], None],
        report: Callable[[], None],
        refresh: Callable[[], None],
        damaged: Callable[[str | None], None],
        note: Note = unheard,
    ) -> None:
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._report = report
        self._refresh = refresh
        self._damaged = damaged
        self._note = note

    async def run(self) -> None:
        """Do it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._fill())
            # At once, too: what was changed while the hub did not run is to be known at its start.
            tasks.create_task(self._look_over())
            tasks.create_task(_every(PRUNE_S, self._clear))
            tasks.create_task(_every(REPORT_S, self._tell))
            tasks.create_task(_every(REFRESH_S, self._follow))

    async def _tell(self) -> None:
        self._report()

    async def _follow(self) -> None:
        self._refresh()

    async def _fill(self) -> None:
        try:
            await self._store.quarters.fill()
        except StoreError as error:  # whoever asks for the history goes on with it
            _log.warning("old minutes were not added up: %s", error)

    async def _clear(self) -> None:
        await self._prune()
        await self._look_over()

    async def _look_over(self) -> None:
        try:
            await self._store.look_over()
        except StoreCorruptError as error:
            text = say(
                "The store is not as the hub has written it: {error}. Whoever can write to its "
                "disk may have changed it, or the disk fails; restore a backup.",
                error=error,
            )
            self._damaged(text)
            self._note(SecurityEvent(EventKind.STORE_DAMAGED, text, about="store"))
        except StoreAwayError as error:  # most of a history is read by nobody else for months
            self._damaged(
                say(
                    "The store cannot be read to its end: {error}. Its disk fails: make a backup "
                    "onto another one, and change it.",
                    error=error,
                )
            )
        except StoreError as error:  # whoever needs it says so
            _log.warning("the store was not looked over: %s", error)
        else:
            self._damaged(None)

    async def _prune(self) -> None:
        store, at = self._store, self._clock.now()
        try:
            now = cleared_by((await store.settings.all()).get(CLEARED, ""), at)
            await store.settings.put(CLEARED, f"{now:.0f}")
            long_ago = now - LONG_KEPT_S
            await store.history.prune(
                at - SAMPLES_KEPT_S,  # many, and in the minute means as well
                minutes_before=now - MINUTES_KEPT_S,
                quarters_before=long_ago,
            )
            await store.ledger.purge(now)
            await store.effects.purge(long_ago)
            await store.accounts.prune(long_ago)
            await store.performances.prune(long_ago)
            await store.visibility.prune(long_ago, refused_before=now - REFUSED_KEPT_S)
        except StoreError as error:
            self._alarm(say("Old records could not be cleared: {error}", error=error))


async def _every(period_s: float, job: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(period_s)
        await job()
