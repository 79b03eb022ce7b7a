"""Keeps the trail: what is written down, what is folded together, and for how long.

Every change is a row of its own. The same look at private data again within the hour is not
written again, for a page asks anew all the time. Of refusals only so many an hour are written: a
flood of them must not fill the disk. Where the disk takes no row, the log does.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from hems.access.trail import Deed, append
from hems.clock import Clock
from hems.store.chain import KEPT_S, Verdict, Verifier
from hems.store.errors import StoreError
from hems.store.trail import TrailRow, TrailStore

_log = logging.getLogger(__name__)

FOLD_S: Final = 3600.0
MOST_REFUSALS: Final = 120
"""In an hour."""
_MOST_FOLDED: Final = 1024
_FADE_EVERY_S: Final = 86_400.0
_FADE_MOST_S: Final = 31 * 86_400.0


@dataclass(frozen=True, slots=True)
class Noted:
    """A row, as it is shown.

    Attributes:
        seq: Its number.
        at: UTC epoch seconds.
        deed: What it says; None for an old one that says nothing any more.
        link: Of the chain up to it.
    """

    seq: int
    at: float
    deed: Deed | None
    link: bytes


class Journal:
    """The trail, being written.

    Args:
        store: Where it is kept.
        clock: Where the time comes from.
    """

    def __init__(self, store: TrailStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._writing = asyncio.Lock()
        self._last: TrailRow | None = None
        self._read = False
        self._folded: OrderedDict[Deed, float] = OrderedDict()
        self._refusals: list[float] = []
        self._faded: float | None = None

    async def did(self, deed: Deed) -> None:
        """Write down what somebody did."""
        await self._write(deed)

    async def saw(self, deed: Deed) -> None:
        """Write down what somebody looked at, unless that stands there since less than an hour."""
        now = self._clock.monotonic()
        written = self._folded.get(deed)
        if written is not None and now - written < FOLD_S:
            return
        self._folded[deed] = now
        self._folded.move_to_end(deed)
        while len(self._folded) > _MOST_FOLDED:
            self._folded.popitem(last=False)
        await self._write(deed)

    async def refused(self, deed: Deed) -> None:
        """Write down what was refused to somebody, so many an hour."""
        now = self._clock.monotonic()
        self._refusals = [at for at in self._refusals if now - at < FOLD_S]
        if len(self._refusals) < MOST_REFUSALS:
            self._refusals.append(now)
            await self._write(deed)

    async def newest(self, most: int, before: int | None = None) -> Sequence[Noted]:
        """Return rows, the newest first; raises StoreError.

        Args:
            most: How many at most.
            before: Only those with a smaller number; None for all.
        """
        return [_noted(row) for row in await self._store.newest(most, before)]

    async def last(self) -> TrailRow | None:
        """Return the last row that is written; None for none; raises StoreError."""
        if self._read:
            return self._last
        return await self._store.last()

    async def verify(self, noted: bytes | None = None) -> Verdict:
        """Look whether the trail is as it was written; raises StoreError.

        Args:
            noted: A link noted down earlier.
        """
        verifier = Verifier(self._clock.now(), noted)
        async for row in self._store.rows():
            if not verifier.take(row):
                break
        return verifier.verdict()

    async def _write(self, deed: Deed) -> None:
        async with self._writing:
            try:
                if not self._read:
                    self._last = await self._store.last()
                    self._read = True
                row = append(self._last, self._clock.now(), deed)
                await self._store.add(row)
                self._last = row
                await self._fade()
            except StoreError as error:
                _log.warning("not in the trail, for %s: %s", error, deed.model_dump_json())

    async def _fade(self) -> None:
        now = self._clock.monotonic()
        if self._faded is None or now - self._faded >= _FADE_EVERY_S:
            self._faded = now
            await self._store.fade(self._clock.now() - KEPT_S, _FADE_MOST_S)


def _noted(row: TrailRow) -> Noted:
    try:
        deed = None if row.body is None else Deed.model_validate_json(row.body)
    except ValidationError:
        deed = None
    return Noted(row.seq, row.at, deed, row.link)
