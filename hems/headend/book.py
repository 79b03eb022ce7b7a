"""What the utility knows now, in memory: answers need no database, changes are durable first.

Homes and events are asked for all the time; the database holds the same. A change is judged,
written, committed and only then seen here, and by every other worker.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from hems.clock import Clock
from hems.headend.db.held import Changed
from hems.headend.dispatch import Order, check_cancel, make_event, make_mrid
from hems.headend.errors import UnknownItemError
from hems.headend.event_table import EventTable
from hems.headend.homes import Contacts, Homes
from hems.headend.programmes import Programmes
from hems.headend.records import Edition, Event, Home, Program
from hems.headend.status import (
    EventState,
    Keeping,
    Overlap,
    next_change,
    overlaps,
    shown_state,
    state_of,
)
from hems.headend.store import Store


class Book:
    """Homes and events. `Store.load` reads them.

    Args:
        store: Where they are kept.
        programmes: The programmes.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.

    Attributes:
        programmes: The programmes.
        contacts: When homes were last heard of.
        groups_of: Says which groups a home is in, by LFDI.
        on_dispatch: Called with an event that has been dispatched or cancelled, by any worker, as
            soon as that is durable.
    """

    def __init__(self, store: Store, programmes: Programmes, clock: Clock, pen: int) -> None:
        self._store = store
        self._clock = clock
        self._pen = pen
        self.programmes = programmes
        self.keeping = Keeping()
        self.contacts = Contacts(store, clock)
        self.groups_of: Callable[[str], Collection[str]] = _no_groups
        self.on_dispatch: Callable[[Event], None] = _nobody
        self._homes = Homes(store)
        self._table = EventTable(store, programmes, clock)
        self._table.follow(self._take)
        self._events: dict[int, tuple[Event, ...]] = {}
        self._overlaps: dict[int, dict[str, Overlap]] = {}

    @property
    def change(self) -> int:
        """Number of the last change of anything that is known here."""
        return self._store.changes.seen

    @property
    def programs(self) -> Mapping[int, Program]:
        """All programmes by index."""
        return self.programmes.all

    def programs_of(self, lfdi: str) -> Sequence[Program]:
        """Return the programmes that a home is assigned to."""
        return self.programmes.of(self.groups_of(lfdi))

    def assigned(self, program: Program, lfdi: str) -> bool:
        """Return whether a home is assigned to a programme."""
        return program.group is None or program.group in self.groups_of(lfdi)

    def reached_by(self, program: Program) -> Sequence[Home]:
        """Return the homes that are assigned to a programme, in the order they came."""
        if program.group is None:
            return self.homes
        return [home for home in self.homes if self.assigned(program, home.lfdi)]

    # Homes

    @property
    def homes(self) -> Sequence[Home]:
        """All homes in the order they came."""
        return tuple(self._homes.all.values())

    def home(self, lfdi: str) -> Home | None:
        """Return the home of a certificate; None if it is not registered."""
        return self._homes.all.get(lfdi)

    async def register(self, lfdi: str, pin: int, edition: Edition, *, in_band: bool) -> Home:
        """Enter a home.

        Raises:
            ConflictError: There is one of this LFDI already.
            BusyError: The database cannot take it.
        """
        return await self._homes.add(Home(0, lfdi, pin, edition, self._clock.now(), in_band))

    async def register_all(self, homes: Sequence[tuple[str, int, Edition]]) -> None:
        """Enter homes by LFDI, PIN and edition; those that are there already stay as they are.

        Raises:
            BusyError: The database cannot take them; none was entered.
        """
        now = self._clock.now()
        await self._homes.add_all(
            [Home(0, lfdi, pin, edition, now) for lfdi, pin, edition in homes]
        )

    async def retire(self, lfdi: str) -> None:
        """Forget a home whose certificate another one has taken the place of."""
        await self._homes.drop(lfdi)

    # Events

    async def dispatch(self, order: Order) -> Event:
        """Accept an order: judge it, make it durable, tell `on_dispatch`.

        Raises:
            DispatchError: The order makes no sense.
            BusyError: The database cannot take it; nothing happened.
        """
        now = self._clock.now()
        event = make_event(order, self.programmes.known, now, make_mrid(now, self._pen))
        await self._table.save((event.mrid, event))
        return event

    async def cancel(self, mrid: str, *, randomized: bool) -> Event:
        """Cancel an event.

        Raises:
            UnknownItemError: There is none of this mRID.
            ConflictError: It is over, or cancelled already.
            BusyError: The database cannot take it; nothing happened.
        """
        async with self._store.changing():
            event = self.event(mrid)
            check_cancel(event, self.state(event))
            spread = event.randomize_start_s or event.randomize_duration_s
            cancelled = replace(
                event,
                cancelled_at=self._clock.now(),
                cancel_randomized=randomized and bool(spread),
            )
            await self._table.save((event.mrid, cancelled))
        return cancelled

    def event(self, mrid: str) -> Event:
        """Return an event.

        Raises:
            UnknownItemError: There is none of this mRID.
        """
        event = self._table.all.get(mrid.upper())
        if event is None:
            raise UnknownItemError(f"no event {mrid[:40]!r}")
        return event

    @property
    def events(self) -> Sequence[Event]:
        """All remembered events, latest first."""
        return tuple(self._table.all.values())[::-1]

    def state(self, event: Event) -> EventState:
        """Return how an event stands now."""
        return state_of(event, self._overlap(event), self._clock.now())

    def shown(self, program: int, edition: Edition) -> Sequence[tuple[Event, EventState]]:
        """Return a programme's events as a home of this edition sees them now, in list order.

        The order is the standard's: start, then creationTime descending, then mRID descending.
        """
        now = self._clock.now()
        items: list[tuple[Event, EventState]] = []
        for event in self._events.get(program, ()):
            state = shown_state(event, self._overlap(event), edition, now, self.keeping)
            if state is not None:
                items.append((event, state))
        return items

    def next_change(self) -> float | None:
        """Return the next time at which any list may change by itself, epoch s; None: never."""
        now = self._clock.now()
        times = (
            next_change(event, self._overlap(event), now, self.keeping)
            for events in self._events.values()
            for event in events
        )
        return min((at for at in times if at is not None), default=None)

    def forget_old(self) -> None:
        """Let go of events that ended long ago; the database keeps them."""
        self._table.forget_old()

    def _overlap(self, event: Event) -> Overlap:
        return self._overlaps.get(event.program, {}).get(event.mrid, Overlap())

    def _take(self, changes: Sequence[Changed[Event]]) -> None:
        """Put events that are new, other or gone where they belong; tell of what is not gone."""
        programs: dict[int, dict[str, Event | None]] = {}
        for each in changes:
            either = each.after or each.before
            if either is not None:
                programs.setdefault(either.program, {})[each.key] = each.after
        for program, fresh in programs.items():
            others = (e for e in self._events.get(program, ()) if e.mrid not in fresh)
            new = [event for event in fresh.values() if event is not None]
            changed = new[0] if len(new) == len(fresh) == 1 else None
            self._arrange(program, (*others, *new), changed)
        for each in changes:
            if each.after is not None:
                self.on_dispatch(each.after)

    def _arrange(self, program: int, events: Iterable[Event], changed: Event | None) -> None:
        """Put a programme's events in order, and see what takes what from which."""
        ordered = sorted(events, key=lambda e: (e.created, e.mrid), reverse=True)
        ordered.sort(key=lambda e: e.start)
        self._events[program] = tuple(ordered)
        self._overlaps[program] = overlaps(
            ordered, self._overlaps.get(program, {}), self._clock.now(), changed
        )


def _no_groups(_lfdi: str) -> Collection[str]:
    """Stand in until somebody knows the groups."""
    return ()


def _nobody(_event: Event) -> None:
    """Stand in until someone listens."""
