"""Every home's own programmes, and the events in them.

A group of homes is asked the same; an aggregator asks each home for another share. So that an event
can be for exactly these homes, each home has a der and a drlc programme to itself, in which it sees
the events that it is named in. Such a programme is made up of the home's number whenever it is
looked at: nothing is kept of it, however many homes there are. One event is for any number of
homes, and stands in each one's list.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.clock import Clock
from hems.headend.asks import check_ramp, check_values
from hems.headend.db.database import Database
from hems.headend.db.held import Changed
from hems.headend.dispatch import MAX_DURATION_S, make_mrid
from hems.headend.errors import DispatchError
from hems.headend.modes import MODES_OF, Edition, Mode, ProgramKind, Value
from hems.headend.own.records import OwnEvent, programme, whose
from hems.headend.own.table import OwnTable, cancelled
from hems.headend.records import Event, Home, Program
from hems.headend.status import (
    EventState,
    Keeping,
    Overlap,
    next_change,
    overlap_of,
    shown_state,
)

_ERASE_S: Final = 6 * 3600.0
"""So often the database is looked through for what nobody needs any more."""
_ALL_S: Final = 60.0
_AT_ONCE: Final = 500
"""Events in one transaction."""


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """What named homes are to do.

    Attributes:
        key: By which it is known again; one of the same key is the same order.
        values: By mode.
        start: Epoch s.
        duration_s: How long.
        homes: For whom, by LFDI.
        ramp_s: How long a device takes to go over; None for its default rate.
        binding: Whether owners may not leave it (drlc).
    """

    key: str
    values: Mapping[Mode, Value]
    start: int
    duration_s: int
    homes: frozenset[str]
    ramp_s: float | None = None
    binding: bool = False


class OwnBook:
    """All of them. `Database.load` reads them.

    Args:
        database: The database.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.
        primacy: Of homes' own programmes; None where homes have none.
        keeping: How long ended events stay in their lists.

    Attributes:
        on_change: Called with an event that has been given or taken back, by any worker, as soon
            as that is durable.
    """

    def __init__(
        self, database: Database, clock: Clock, pen: int, primacy: int | None, keeping: Keeping
    ) -> None:
        self._table = OwnTable(database, clock)
        self._table.follow(self._take)
        self._clock = clock
        self._pen = pen
        self._primacy = primacy
        self._keeping = keeping
        self._homes: dict[str, Home] = {}
        self._numbers: dict[int, Home] = {}
        self._looked_at = self._looked_at_all = self._erased_at = -math.inf
        self._by_home: dict[str, tuple[OwnEvent, ...]] = {}
        self.on_change: Callable[[OwnEvent], None] = _nobody

    # Programmes

    def take_homes(self, changes: Sequence[Changed[Home]]) -> None:
        """Learn the numbers of homes."""
        for each in changes:
            if each.before is not None:
                self._numbers.pop(each.before.id, None)
                self._homes.pop(each.key, None)
            if each.after is not None:
                self._numbers[each.after.id] = self._homes[each.key] = each.after

    def programme(self, home: Home, kind: ProgramKind) -> Program | None:
        """Return a home's own programme of a kind; None where homes have none."""
        return None if self._primacy is None else programme(home, kind, self._primacy, self._pen)

    def of(self, home: Home | None) -> Sequence[Program]:
        """Return a home's own programmes; none for nobody."""
        if home is None or self._primacy is None:
            return ()
        return [programme(home, kind, self._primacy, self._pen) for kind in _KINDS]

    def at(self, index: int) -> Program | None:
        """Return the programme of an index, if it is a home's own."""
        found = whose(index)
        home = None if found is None else self._numbers.get(found[0])
        return None if found is None or home is None else self.programme(home, found[1])

    # Events

    async def give(self, orders: Sequence[OwnOrder]) -> Mapping[str, str | DispatchError]:
        """Give orders to homes; durable when this returns.

        Returns:
            By key the mRID of the event that it is, or was before; or why it cannot be given.

        Raises:
            BusyError: The database cannot take them; some may have been given.
        """
        found: dict[str, str | DispatchError] = {}
        for start in range(0, len(orders), _AT_ONCE):
            async with self._table.database.changing():
                fresh: dict[str, OwnEvent] = {}
                some = orders[start : start + _AT_ONCE]
                before = await self._table.given([order.key for order in some])
                for order in some:
                    known = before.get(order.key) or found.get(order.key)
                    if known is None:
                        try:
                            made = self._made(order)
                        except DispatchError as error:
                            known = error
                        else:
                            known = made.event.mrid
                            fresh[known] = made
                    found[order.key] = known
                await self._table.save(*fresh.items())
        return found

    async def cancel(self, mrids: Collection[str]) -> None:
        """Take events back; those that are over, gone or taken back stay as they are.

        Raises:
            BusyError: The database cannot do it now; nothing changed.
        """
        async with self._table.database.changing():
            now = self._clock.now()
            known = (self._table.all.get(mrid) for mrid in sorted(mrids))
            await self._table.save(
                *(
                    (item.event.mrid, cancelled(item, now))
                    for item in known
                    if item is not None
                    and item.event.cancelled_at is None
                    and item.event.latest_end > now
                )
            )

    def find(self, mrid: str) -> OwnEvent | None:
        """Return an event; None if there is none of this mRID."""
        return self._table.all.get(mrid.upper())

    @property
    def running(self) -> Sequence[OwnEvent]:
        """Return the events that are neither over nor taken back."""
        now = self._clock.now()
        return [
            item
            for item in self._table.all.values()
            if item.event.cancelled_at is None and item.event.latest_end > now
        ]

    def shown(self, program: Program, edition: Edition) -> Sequence[tuple[Event, EventState]]:
        """Return the events of a home's own programme as the home sees them now, in list order."""
        own = self._by_home.get(program.home or "", ())
        events = [item.at(program) for item in own if item.kind is program.kind]
        now = self._clock.now()
        gone = now - max(self._keeping.grace_s, self._keeping.completed_s)
        found: list[tuple[Event, EventState]] = []
        for event in events:
            if event.latest_end <= gone:
                continue
            overlap = overlap_of(event, events)
            state = shown_state(event, overlap, edition, now, self._keeping)
            if state is not None:
                found.append((event, state))
        return found

    def programmes_of(self, item: OwnEvent) -> Iterator[Program]:
        """Yield the programmes in which an event stands."""
        for lfdi in item.homes:
            home = self._homes.get(lfdi)
            found = None if home is None else self.programme(home, item.kind)
            if found is not None:
                yield found

    def due(self) -> Iterable[Program]:
        """Return the programmes in which something has changed by itself since the last look.

        Now and then all in which something is going on: whom another worker left untold is told.
        """
        now, since = self._clock.now(), self._looked_at
        everything = not 0 <= now - self._looked_at_all < _ALL_S
        self._looked_at = now
        if everything:
            self._looked_at_all = now
        gone = now - 2 * max(self._keeping.grace_s, self._keeping.completed_s)
        found: dict[int, Program] = {}
        for item in self._table.all.values():
            if item.event.latest_end <= gone:
                continue
            at = next_change(item.event, Overlap(), since, self._keeping)
            if everything or (at is not None and at <= now):
                found |= {program.index: program for program in self.programmes_of(item)}
        return found.values()

    def next_change(self) -> float | None:
        """Return the next time at which any list may change by itself, epoch s; None: never.

        What supersedes begins itself at that time, so its own beginning says when.
        """
        now, nothing = self._clock.now(), Overlap()
        times = (
            next_change(item.event, nothing, now, self._keeping)
            for item in self._table.all.values()
        )
        return min((at for at in times if at is not None), default=None)

    async def forget_old(self) -> None:
        """Let go of events that were over long ago.

        Raises:
            BusyError: The database cannot do it now.
        """
        self._table.forget_old()
        now = self._clock.now()
        if not 0 <= now - self._erased_at < _ERASE_S:
            await self._table.erase_old()
            self._erased_at = now

    def _made(self, order: OwnOrder) -> OwnEvent:
        kinds = [kind for kind in _KINDS if frozenset(order.values) <= MODES_OF[kind]]
        if not order.values or not kinds:
            names = ", ".join(sorted(mode.value for mode in order.values)) or "nothing"
            raise DispatchError(f"no programme carries {names} together")
        if not order.homes:
            raise DispatchError("an order for no home")
        if not 1 <= order.duration_s <= MAX_DURATION_S:
            raise DispatchError(f"a duration of {order.duration_s} s is outside 1 s to 7 days")
        check_values(order.values)
        check_ramp(order.ramp_s)
        now = self._clock.now()
        if order.start + order.duration_s <= now:
            raise DispatchError("the event would be over before it began")
        event = Event(
            mrid=make_mrid(now, self._pen),
            program=0,
            values=dict(order.values),
            start=order.start,
            duration_s=order.duration_s,
            randomize_start_s=0,
            randomize_duration_s=0,
            accepted_at=now,
            ramp_s=order.ramp_s,
            binding=order.binding,
        )
        return OwnEvent(event, order.key, kinds[0], order.homes)

    def _take(self, changes: Sequence[Changed[OwnEvent]]) -> None:
        lists: dict[str, dict[str, OwnEvent | None]] = {}
        for each in changes:
            item = each.after or each.before
            if item is None:
                continue
            for lfdi in item.homes:
                lists.setdefault(lfdi, {})[each.key] = each.after
        for lfdi, fresh in lists.items():
            kept = [i for i in self._by_home.pop(lfdi, ()) if i.event.mrid not in fresh]
            kept += [item for item in fresh.values() if item is not None]
            kept.sort(key=lambda i: (i.event.created, i.event.mrid), reverse=True)
            kept.sort(key=lambda i: i.event.start)
            if kept:
                self._by_home[lfdi] = tuple(kept)
        for each in changes:
            if each.after is not None:
                self.on_change(each.after)


_KINDS: Final = (ProgramKind.DER, ProgramKind.DRLC)


def _nobody(_item: OwnEvent) -> None:
    """Stand in until someone listens."""
