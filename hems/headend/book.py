"""What the utility knows now, in memory: answers need no database, changes are durable first.

Homes and events are asked for all the time; the database holds the same. A change is judged,
written, committed and only then seen here, and by every other worker.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from hems.clock import Clock
from hems.headend.aggregators.reach import Reach
from hems.headend.aggregators.twins import Twins
from hems.headend.db.held import Changed
from hems.headend.dispatch import Order, check_cancel, make_event, make_mrid
from hems.headend.errors import UnknownItemError
from hems.headend.event_table import EventTable
from hems.headend.fleet.access import ALL, Access
from hems.headend.homes import Contacts, Homes
from hems.headend.own.book import OwnBook
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
        own_primacy: Of the programmes that each home has to itself; None where it has none.

    Attributes:
        programmes: The programmes of everybody and of groups.
        own: Those of single homes, with their events.
        contacts: When homes were last heard of.
        groups_of: Says which groups a home is in, by LFDI.
        served: Says what a home is served now, by LFDI.
        contracts: Say which events do not reach a home that they are for.
        rolls: Homes by their numbers, and by who speaks for them.
        on_dispatch: Called with an event that has been dispatched or cancelled, by any worker, as
            soon as that is durable.
    """

    def __init__(
        self,
        store: Store,
        programmes: Programmes,
        clock: Clock,
        pen: int,
        own_primacy: int | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pen = pen
        self.programmes = programmes
        self.keeping = Keeping()
        self.contacts = Contacts(store, clock)
        self.groups_of: Callable[[str], Collection[str]] = _no_groups
        self.served: Callable[[str], Access] = _all
        self.contracts: Contracts = NoContracts()
        self.on_dispatch: Callable[[Event], None] = _nobody
        self.own = OwnBook(store, clock, pen, own_primacy, self.keeping)
        self._homes = Homes(store)
        self._homes.follow(self.own.take_homes)
        self.rolls = self._homes.rolls
        self._reach = Reach(
            self.rolls,
            self.assigned,
            served=self._serves,
            change=lambda: self.change,
            home=self.home,
            limited=self._limited,
        )
        self._twins = Twins(self.rolls, self._of_many, self._limited)
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
        """All programmes of everybody and of groups, by index."""
        return self.programmes.all

    def program(self, index: int) -> Program | None:
        """Return any programme, a home's own too; None if there is none of this index."""
        return self.programmes.all.get(index) or self.own.at(index) or self._twins.at(index)

    def programs_of(self, lfdi: str) -> Sequence[Program]:
        """Return the programmes that a home is assigned to."""
        return (*self.programmes.of(self.groups_of(lfdi)), *self.own.of(self.home(lfdi)))

    def _of_many(self, index: int) -> Program | None:
        return self.programmes.all.get(index)

    def spoken_of(self, home: Home) -> Sequence[Program]:
        """Return a home's programmes as they are shown to who speaks for it."""
        return self._twins.of(home, self.programs_of(home.lfdi))

    def assigned(self, program: Program, lfdi: str) -> bool:
        """Return whether a home is assigned to a programme."""
        if program.home is not None and program.home != lfdi:
            return False
        if program.home is not None and program.twin_of is None:
            return True
        return program.group is None or program.group in self.groups_of(lfdi)

    def sees(self, program: Program, lfdi: str, need: Access = Access.EVENTS) -> bool:
        """Return whether a home, or one that it speaks for, is assigned to a programme.

        Args:
            program: The programme.
            lfdi: Of the home.
            need: What one that it speaks for must be served.
        """
        return self.assigned(program, lfdi) or self._reach.sees(lfdi, program, need)

    def reached_by(self, program: Program) -> Sequence[Home]:
        """Return the homes that are assigned to a programme, in the order they came."""
        if program.home is not None:
            home = self.home(program.home)
            return () if home is None else (home,)
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

    async def register(
        self, lfdi: str, pin: int, edition: Edition, *, in_band: bool, aggregator: str = ""
    ) -> Home:
        """Enter a home.

        Args:
            lfdi: Its LFDI.
            pin: Its registration PIN.
            edition: What it speaks.
            in_band: Whether it was entered by POST.
            aggregator: LFDI of who speaks for it; empty for itself.

        Raises:
            ConflictError: There is one of this LFDI already.
            BusyError: The database cannot take it.
        """
        now = self._clock.now()
        return await self._homes.add(Home(0, lfdi, pin, edition, now, in_band, aggregator))

    async def register_all(
        self, homes: Sequence[tuple[str, int, Edition]], aggregator: str = ""
    ) -> None:
        """Enter homes by LFDI, PIN and edition; those that are there already stay as they are.

        Args:
            homes: They.
            aggregator: LFDI of who speaks for them; empty for themselves.

        Raises:
            BusyError: The database cannot take them; none was entered.
        """
        now = self._clock.now()
        await self._homes.add_all(
            [
                Home(0, lfdi, pin, edition, now, aggregator=aggregator)
                for lfdi, pin, edition in homes
            ]
        )

    async def hand_over(self, homes: Sequence[Home], aggregator: str) -> None:
        """Have an aggregator speak for homes from now on, or nobody where it is empty.

        Raises:
            BusyError: The database cannot take it; nothing happened.
        """
        await self._homes.hand_over(homes, aggregator)

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

    def shown(self, program: Program, edition: Edition) -> Sequence[tuple[Event, EventState]]:
        """Return a programme's events as a home of this edition sees them now, in list order.

        The order is the standard's: start, then creationTime descending, then mRID descending.
        """
        if program.twin_of is not None:
            whole = self.shown(self.programs[program.twin_of], edition)
            return self._as_twin(program, self.spared(whole, program.home or ""))
        if program.home is not None:
            return self.spared(self.own.shown(program, edition), program.home)
        now = self._clock.now()
        items: list[tuple[Event, EventState]] = []
        for event in self._events.get(program.index, ()):
            state = shown_state(event, self._overlap(event), edition, now, self.keeping)
            if state is not None:
                items.append((event, state))
        return items

    def spared(
        self, shown: Sequence[tuple[Event, EventState]], lfdi: str
    ) -> Sequence[tuple[Event, EventState]]:
        """Return those of a programme's events that a home's contract does not keep from it."""
        if not self.contracts.limited(lfdi):
            return shown
        return [(event, state) for event, state in shown if not self.contracts.bars(event, lfdi)]

    @staticmethod
    def _as_twin(
        program: Program, shown: Sequence[tuple[Event, EventState]]
    ) -> Sequence[tuple[Event, EventState]]:
        return [(replace(event, program=program.index), state) for event, state in shown]

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

    def _limited(self, lfdi: str) -> bool:
        return self.contracts.limited(lfdi)

    def _serves(self, lfdi: str) -> Access:
        return self.served(lfdi)

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


class Contracts(Protocol):
    """What homes' contracts let them be asked for."""

    def limited(self, lfdi: str) -> bool:
        """Return whether a home's contract keeps anything from it at all."""
        ...

    def bars(self, event: Event, lfdi: str) -> bool:
        """Return whether a home's contract keeps an event from it."""
        ...

    def largest_w(self, lfdi: str) -> int | None:
        """Return by how much an event may change a home's power, W; None for any."""
        ...


class NoContracts:
    """Stands in until somebody knows the contracts."""

    def limited(self, lfdi: str) -> bool:
        """Return whether a contract keeps anything from a home: none does."""
        del lfdi
        return False

    def bars(self, event: Event, lfdi: str) -> bool:
        """Return whether a contract keeps an event from a home: none does."""
        del event, lfdi
        return False

    def largest_w(self, lfdi: str) -> int | None:
        """Return None: any event may be for a home."""
        del lfdi
        return None


def _all(_lfdi: str) -> Access:
    """Stand in until somebody knows what homes are served."""
    return ALL


def _nobody(_event: Event) -> None:
    """Stand in until someone listens."""
