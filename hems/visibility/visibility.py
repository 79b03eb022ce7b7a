"""The home's visibility: what is measured is kept by intervals, and shown to those granted it."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from der.sentence import say
from der.steps import StepWatch
from hems.clock import Clock
from hems.image import Image
from hems.store.errors import StoreError
from hems.store.visibility import (
    Access,
    GrantRow,
    Interval,
    SightingRow,
    VisibilityStore,
)
from hems.visibility.grants import Data, Grant, GrantError, Purpose, granted, purposes_of, seen_by
from hems.visibility.intervals import Intervals
from hems.visibility.sightings import Sight, Sighting, Sightings
from hems.visibility.surface import (
    AccessView,
    GrantView,
    ImpossibleGrantError,
    NotKeptError,
    UnknownGrantError,
)
from programs.about import Standing
from programs.registry import Policies
from programs.visibility import ID

_log = logging.getLogger(__name__)

WAITING: Final = 5000
"""Rows that wait at most for a store that refuses: some five days."""
MOST_ROWS: Final = 2000
"""Rows of one answer at most, so that nobody's question delays the home; more are asked for by
themselves."""


class DeniedError(Exception):
    """This recipient may not see this; `str()` says so."""


class Visibility:
    """Keeps intervals and sightings, grants and accesses.

    Implements `hems.visibility.surface.VisibilitySurface`.

    Args:
        store: Where they are kept.
        clock: Where the time comes from.
        alarm: Told in one sentence that nothing can be kept, and None when it can again.
    """

    def __init__(
        self, store: VisibilityStore, clock: Clock, alarm: Callable[[str | None], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._intervals = Intervals()
        self._sightings = Sightings()
        self._rows: deque[Interval] = deque(maxlen=WAITING)
        self._seen: deque[Sighting] = deque(maxlen=WAITING)
        self._due = asyncio.Event()
        self._grants: tuple[Grant, ...] | None = None
        self._image: Image | None = None
        self._new = asyncio.Event()

    async def load(self) -> None:
        """Read the grants, and what happened to the supply and was not over; both can wait."""
        with contextlib.suppress(StoreError):  # each access tries again, and is refused till then
            await self._known()
        with contextlib.suppress(StoreError):  # then the next start ends them
            rows = await self._store.open_sightings()
            self._seen.extend(self._sightings.resume([_sighting(row) for row in rows]))

    def applied(self, policies: Policies) -> Policies:
        """Return the policies: to be seen asks nothing of a device."""
        return policies

    @property
    def standings(self) -> Sequence[Standing]:
        """Who sees what now, in words."""
        now = self._clock.now()
        names = [g.name for g in self._grants or () if g.holds(now)]
        said = say("{names} may see what is measured", names=", ".join(names)) if names else ""
        promise = say("each reading within a second, intervals of five minutes within one more")
        return (Standing(ID, bool(names), promise=promise, words=said),)

    @property
    def image(self) -> Image | None:
        """What was read last; None before the first reading."""
        return self._image

    def take_image(self, image: Image) -> None:
        """Take in what the devices said; each cycle."""
        if self._steps.step_s():
            self._intervals.shift()
            self._seen.extend(self._sightings.shift())
        self._rows.extend(self._intervals.take(image))
        self._seen.extend(self._sightings.take(image))
        if self._rows or self._seen:
            self._due.set()
        self._image = image
        new, self._new = self._new, asyncio.Event()
        new.set()

    async def images(self) -> AsyncIterator[Image]:
        """Yield each image as it comes; who is slow misses some."""
        while True:
            await self._new.wait()
            if self._image is not None:
                yield self._image

    async def run(self) -> None:
        """Write down what waits, until cancelled; then once more."""
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await self._flush()
        finally:
            await self._flush()

    async def _flush(self) -> None:
        rows, seen = list(self._rows), list(self._seen)
        if not rows and not seen:
            return
        try:
            await self._store.add(rows, [_sighting_row(each) for each in seen])
        except StoreError as error:
            self._alarm(
                say("What is measured of the grid is not being written: {error}", error=error)
            )
            return  # it waits for the next interval
        self._alarm(None)
        for done, waiting in ((rows, self._rows), (seen, self._seen)):
            for each in done:
                if waiting and waiting[0] is each:
                    waiting.popleft()

    # What recipients ask, each access written down before anything is given.

    async def admit(self, recipient: str, data: Data, asked: str) -> None:
        """Let a recipient see something, or not, and write that down first.

        Args:
            recipient: LFDI of who asks.
            data: What it asks for.
            asked: The same in words, for the log.

        Raises:
            DeniedError: It may not.
            StoreError: It cannot be written down, so nothing may be shown.
        """
        now = self._clock.now()
        purpose = purposes_of(await self._known(), recipient, data, now)
        await self._store.note(Access(now, recipient, purpose, asked, bool(purpose)))
        if not purpose:
            raise DeniedError(
                say(
                    "the owner has not granted {data} to {recipient}",
                    data=data.value,
                    recipient=recipient,
                )
            )

    async def note(self, recipient: str, what: str) -> None:
        """Write down what became of an access that was admitted.

        Raises:
            StoreError: It cannot be written down.
        """
        now = self._clock.now()
        purpose = purposes_of(await self._known(), recipient, Data.LIVE, now)
        await self._store.note(Access(now, recipient, purpose, what, True))

    async def may(self, recipient: str) -> frozenset[Data]:
        """Return what a recipient may see now.

        Raises:
            StoreError: The grants cannot be read.
        """
        return seen_by(await self._known(), recipient, self._clock.now())

    async def measured(self, start: float, end: float) -> tuple[Sequence[Interval], bool]:
        """Return the intervals that begin in [start, end), each with all its phases.

        Returns:
            At most `MOST_ROWS`, and whether there are more after them.
        """
        found = await self._store.intervals(start, end, MOST_ROWS + 1)
        if len(found) <= MOST_ROWS:
            return found, False
        return [row for row in found if row.start != found[-1].start], True

    async def happened(self, start: float, end: float) -> tuple[Sequence[SightingRow], bool]:
        """Return what happened to the supply in [start, end).

        Returns:
            At most `MOST_ROWS`, and whether there are more after them.
        """
        found = await self._store.sightings(start, end, MOST_ROWS + 1)
        return found[:MOST_ROWS], len(found) > MOST_ROWS

    # What the owner asks.

    async def grants(self) -> Sequence[GrantView]:
        """Return all grants, those that hold first."""
        try:
            known = await self._known()
        except StoreError as error:
            raise NotKeptError(say("the grants cannot be read: {error}", error=error)) from error
        now = self._clock.now()
        return sorted((_view(g, now) for g in known), key=lambda g: (not g.holds, g.id))

    async def grant(
        self, recipient: str, name: str, purpose: Purpose, data: Iterable[Data], until: float
    ) -> GrantView:
        """Let a recipient see something."""
        now = self._clock.now()
        try:
            new = granted(recipient, name, purpose, data, until=until, now=now)
            known = await self._known()
            new = replace(new, id=await self._store.grant(_grant_row(new)))
        except GrantError as error:
            raise ImpossibleGrantError(str(error)) from error
        except StoreError as error:
            raise NotKeptError(say("the grant cannot be kept: {error}", error=error)) from error
        self._grants = (*(self._grants or known), new)
        _log.info("%s may see %s until %.0f", new.name, ", ".join(sorted(new.data)), until)
        return _view(new, now)

    async def withdraw(self, grant: int) -> None:
        """End a grant at once."""
        now = self._clock.now()
        try:
            known = await self._known()
            if not any(g.id == grant for g in known):
                raise UnknownGrantError(say("there is no grant {grant}", grant=grant))
            await self._store.end_grant(grant, now)
        except StoreError as error:
            raise NotKeptError(
                say("the grant cannot be withdrawn: {error}", error=error)
            ) from error
        self._grants = tuple(
            replace(g, until=min(g.until, now), withdrawn_at=now) if g.id == grant else g
            for g in self._grants or known
        )

    async def accesses(self, most: int) -> Sequence[AccessView]:
        """Return the last accesses, the newest first."""
        try:
            found, known = await self._store.accesses(most), await self._known()
        except StoreError as error:
            raise NotKeptError(say("the accesses cannot be read: {error}", error=error)) from error
        names = {grant.recipient: grant.name for grant in known}
        return [
            AccessView(a.at, a.recipient, names.get(a.recipient, ""), a.purpose, a.asked, a.allowed)
            for a in found
        ]

    async def _known(self) -> tuple[Grant, ...]:
        if self._grants is None:
            self._grants = tuple(_grant(row) for row in await self._store.grants())
        return self._grants


def _grant(row: GrantRow) -> Grant:
    return Grant(
        row.id,
        row.recipient,
        row.name,
        Purpose(row.purpose),
        frozenset(Data(each) for each in row.data),
        row.granted_at,
        row.until,
        row.withdrawn_at,
    )


def _grant_row(grant: Grant) -> GrantRow:
    return GrantRow(
        grant.id,
        grant.recipient,
        grant.name,
        grant.purpose.value,
        tuple(sorted(grant.data)),
        grant.granted_at,
        grant.until,
        grant.withdrawn_at,
    )


def _view(grant: Grant, now: float) -> GrantView:
    row = _grant_row(grant)
    return GrantView(
        row.id,
        row.recipient,
        row.name,
        row.purpose,
        row.data,
        row.granted_at,
        row.until,
        grant.holds(now),
    )


def _sighting(row: SightingRow) -> Sighting:
    return Sighting(Sight(row.what), row.phase, row.began_at, row.ended_at, row.extreme)


def _sighting_row(seen: Sighting) -> SightingRow:
    return SightingRow(seen.what.value, seen.phase, seen.began_at, seen.ended_at, seen.extreme)
