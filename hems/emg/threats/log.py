"""The log of what bears on security, on the disk.

Rows are only added, each bound to all before it; the end is sealed beside the store. Where the
store takes no row, rows wait, and what is too much to wait is counted and said.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from certs.errors import CertificateError
from der.sentence import Sentence, say
from hems.clock import Clock
from hems.emg.threats.entry import Entry
from hems.emg.threats.folding import Draft
from hems.emg.threats.head import Head, HeadError, HeadFile
from hems.emg.threats.severity import ORDER, Severity, severity
from hems.security_event import EventKind, SecurityEvent
from hems.store.chain import KEPT_S, START, ChainRow, Verdict, Verifier, append
from hems.store.errors import StoreError
from hems.store.security_log import SecurityLogStore

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 2000
_PAGE: Final = 200
_MOST_PAGES: Final = 50
_FADE_MOST_S: Final = 31 * 86_400.0


@dataclass(frozen=True, slots=True)
class Logged:
    """A row, as it is shown.

    Attributes:
        seq: Its number.
        at: UTC epoch seconds.
        entry: What it says; None for an old one that says nothing any more.
        link: Of the chain up to it.
    """

    seq: int
    at: float
    entry: Entry | None
    link: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows.

    Attributes:
        rows: The newest first.
        before: Number from which on there may be more; None where there are none.
    """

    rows: Sequence[Logged]
    before: int | None


class SecurityLog:
    """The log.

    Args:
        store: Where it is kept.
        head: Where its end is sealed; None for nowhere.
        clock: Where the time comes from.
    """

    def __init__(self, store: SecurityLogStore, head: HeadFile | None, clock: Clock) -> None:
        self._store = store
        self._head = head
        self._clock = clock
        self._waiting: list[Draft] = []
        self._lost = 0
        self._last: ChainRow | None = None
        self._begun: int | None = None
        self._sealed: int | None = None
        self._said = ""

    @property
    def link(self) -> bytes:
        """The link of the last row: who notes it down can tell later whether all is there."""
        return START if self._last is None else self._last.link

    async def write(self, drafts: Sequence[Draft]) -> list[int]:
        """Add rows; returns their numbers, 0 for one that has none yet."""
        numbers = []
        for draft in drafts:
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                numbers.append(0)
                continue
            self._waiting.append(draft)
            seq = 0 if self._last is None else self._last.seq
            numbers.append(seq + len(self._waiting) if self._begun is not None else 0)
        await self._flush()
        return numbers

    async def _flush(self) -> None:
        try:
            if self._begun is None:
                self._last = await self._store.last()
                self._begun = 0 if self._last is None else self._last.seq
            if not self._waiting:
                return
            rows, last = [], self._last
            for draft in self._all():
                last = append(last, draft.at, _body(draft.entry))
                rows.append(last)
            await self._store.add(*rows)
        except StoreError as error:
            if str(error) != self._said:
                self._said = str(error)
                _log.warning("the security log is not being written: %s", error)
            return
        self._last, self._lost, self._said = last, 0, ""
        self._waiting.clear()

    def _all(self) -> list[Draft]:
        if not self._lost:
            return self._waiting
        text = say(
            "So many events could not be written down for want of room: {count}.", count=self._lost
        )
        entry = Entry.of(
            SecurityEvent(EventKind.STORE_DAMAGED, text),
            severity(EventKind.STORE_DAMAGED),
            times=self._lost,
        )
        return [*self._waiting, Draft(self._clock.now(), entry)]

    async def seal(self) -> None:
        """Seal the end beside the store, if it has moved on."""
        seq = 0 if self._last is None else self._last.seq
        if self._head is None or self._begun is None or seq == self._sealed:
            return
        try:
            await asyncio.to_thread(self._head.write, Head(seq, self.link))
        except (OSError, CertificateError) as error:
            _log.warning("the security log's end is not sealed: %s", error)
        else:
            self._sealed = seq

    async def fade(self) -> None:
        """Take out of rows beyond their time what they say."""
        try:
            await self._store.fade(self._clock.now() - KEPT_S, _FADE_MOST_S)
        except StoreError as error:
            _log.warning("old rows of the security log stay for now: %s", error)

    async def newest(self, most: int, before: int | None = None) -> Sequence[Logged]:
        """Return rows, the newest first; raises StoreError.

        Args:
            most: How many at most.
            before: Only those with a smaller number; None for all.
        """
        return [_logged(row) for row in await self._store.newest(most, before)]

    async def page(self, most: int, before: int | None, least: Severity) -> Page:
        """Return rows that are grave enough, the newest first; raises StoreError.

        Args:
            most: How many at most.
            before: Only those with a smaller number; None for all.
            least: How grave they are at least; what says nothing any more counts as the least.
        """
        kept: list[Logged] = []
        for _ in range(_MOST_PAGES):
            found = await self.newest(_PAGE, before)
            for row in found:
                if len(kept) == most:
                    return Page(kept, before)
                before = row.seq
                if row.entry is None or _rank(row.entry.severity) >= ORDER.index(least):
                    kept.append(row)
            if len(found) < _PAGE:
                return Page(kept, None)
        return Page(kept, before)

    async def rows(self) -> AsyncIterator[Logged]:
        """Yield all rows in order; raises StoreError."""
        async for row in self._store.rows():
            yield _logged(row)

    async def verify(self, noted: bytes | None = None) -> Verdict:
        """Look whether all rows are as they were written; raises StoreError.

        Args:
            noted: A link noted down earlier.
        """
        verifier = Verifier(self._clock.now(), noted)
        async for row in self._store.rows():
            if not verifier.take(row):
                break
        return verifier.verdict()

    async def wrong(self, *, restored: bool = False) -> Sentence | None:
        """Return what is wrong with the log, in one sentence; None for nothing.

        Args:
            restored: Whether the store is a backup's: it may end before what was sealed.

        Raises:
            StoreError: It cannot be read.
        """
        await self._flush()
        try:
            head = None if self._head is None else await asyncio.to_thread(self._head.read)
        except HeadError as error:
            return say(
                "The seal at the end of the security log is not the hub's own: {error}.",
                error=error,
            )
        except (OSError, CertificateError) as error:
            _log.warning("the seal of the security log cannot be looked at: %s", error)
            head = None
        else:
            if head is None and self._head is not None and self._begun and not restored:
                return say("The seal at the end of the security log is missing.")
        verdict = await self.verify(None if head is None else head.link)
        if verdict.broken_at is not None:
            return say(
                "Row {row} of the security log is not as it was written, or is missing.",
                row=verdict.broken_at,
            )
        if head is None or verdict.known or restored:
            return None
        return say(
            "The security log was sealed at row {sealed} and now has {rows} rows: its end was cut "
            "off, or an older one was put in its place.",
            sealed=head.seq,
            rows=verdict.rows,
        )


def _rank(name: str) -> int:
    """Return how grave a row is by its word; one of a later version is as grave as can be."""
    return next((i for i, each in enumerate(ORDER) if each.value == name), len(ORDER))


def _body(entry: Entry) -> str:
    return entry.model_dump_json(exclude_defaults=True)


def _logged(row: ChainRow) -> Logged:
    try:
        entry = None if row.body is None else Entry.model_validate_json(row.body)
    except ValidationError:
        entry = None
    return Logged(row.seq, row.at, entry, row.link)
