"""What the utility knows now, in memory: answers need no database, changes are durable first.

Homes, events and subscriptions are few and asked for all the time; the database holds the same
and is read once, at start. A change is written, committed and only then seen here.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hems.clock import Clock
from hems.headend.dispatch import Order, check_cancel, make_event, make_mrid
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.records import Edition, Event, Home, Program, SubscriptionRecord
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

MEMORY_S = 7 * 86400
"""How long an ended event can be asked for by the operator."""


class Book:
    """Homes, events and subscriptions. Use `Book.load`.

    Args:
        store: Where changes are kept.
        programs: The programmes.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.

    Attributes:
        on_dispatch: Called with an event as soon as it, or its cancellation, is durable.
    """

    def __init__(self, store: Store, programs: Sequence[Program], clock: Clock, pen: int) -> None:
        self._store = store
        self._clock = clock
        self._pen = pen
        self.programs: Mapping[int, Program] = {program.index: program for program in programs}
        self.keeping = Keeping()
        self.on_dispatch: Callable[[Event], None] = _nobody
        self._homes: dict[str, Home] = {}
        self._contacts: dict[str, float] = {}
        self._fresh_contacts: set[str] = set()
        self._events: dict[int, tuple[Event, ...]] = dict.fromkeys(self.programs, ())
        self._by_mrid: dict[str, Event] = {}
        # Two changes at once of the same home or event must see each other.
        self._changing = asyncio.Lock()
        self._overlaps: dict[int, dict[str, Overlap]] = {index: {} for index in self.programs}
        self._subscriptions: dict[int, SubscriptionRecord] = {}

    @classmethod
    async def load(
        cls, store: Store, programs: Sequence[Program], clock: Clock, pen: int
    ) -> "Book":
        """Read everything from the database."""
        book = cls(store, programs, clock, pen)
        for home, contact in await store.homes():
            book._homes[home.lfdi] = home
            if contact is not None:
                book._contacts[home.lfdi] = contact
        book._put_all(await store.events(programs, clock.now() - MEMORY_S))
        for subscription in await store.subscriptions():
            book._subscriptions[subscription.id] = subscription
        return book

    # Homes

    @property
    def homes(self) -> Sequence[Home]:
        """All homes in the order they came."""
        return tuple(self._homes.values())

    def home(self, lfdi: str) -> Home | None:
        """Return the home of a certificate; None if it is not registered."""
        return self._homes.get(lfdi)

    def seen(self, lfdi: str) -> None:
        """Note that a home was heard of now."""
        self._contacts[lfdi] = self._clock.now()
        self._fresh_contacts.add(lfdi)

    def last_contact(self, lfdi: str) -> float | None:
        """Return when a home was last heard of, epoch s; None if never."""
        return self._contacts.get(lfdi)

    async def save_contacts(self) -> None:
        """Make the times of last contact durable; they are not worth a write for each request."""
        fresh = self._fresh_contacts & self._homes.keys()
        self._fresh_contacts = set()
        if fresh:
            await self._store.save_contacts([(lfdi, self._contacts[lfdi]) for lfdi in fresh])

    async def register(self, lfdi: str, pin: int, edition: Edition, *, in_band: bool) -> Home:
        """Enter a home.

        Raises:
            ConflictError: There is one of this LFDI already.
        """
        async with self._changing:
            if lfdi in self._homes:
                raise ConflictError(f"home {lfdi} is registered already")
            home = await self._store.add_home(
                Home(0, lfdi, pin, edition, self._clock.now(), in_band)
            )
            self._homes[lfdi] = home
        return home

    async def retire(self, lfdi: str) -> None:
        """Forget a home whose certificate another one has taken the place of."""
        async with self._changing:
            await self._store.drop_home(lfdi)
            self._homes.pop(lfdi, None)
            self._contacts.pop(lfdi, None)
            for item in self.subscriptions_of(lfdi):
                del self._subscriptions[item.id]

    # Events

    async def dispatch(self, order: Order) -> Event:
        """Accept an order: judge it, make it durable, tell `on_dispatch`.

        Raises:
            DispatchError: The order makes no sense.
            BusyError: The database cannot take it; nothing happened.
        """
        now = self._clock.now()
        event = make_event(order, tuple(self.programs.values()), now, make_mrid(now, self._pen))
        await self._store.save_event(event, self.programs[event.program])
        # Whole seconds go on the wire, so this finer stamp must not move creationTime.
        accepted = min(self._clock.now(), event.created + _LAST_OF_SECOND)
        event = replace(event, accepted_at=max(event.accepted_at, accepted))
        self._put(event)
        self.on_dispatch(event)
        return event

    async def cancel(self, mrid: str, *, randomized: bool) -> Event:
        """Cancel an event.

        Raises:
            UnknownItemError: There is none of this mRID.
            ConflictError: It is over, or cancelled already.
        """
        async with self._changing:
            event = self.event(mrid)
            check_cancel(event, self.state(event))
            spread = event.randomize_start_s or event.randomize_duration_s
            cancelled = replace(
                event,
                cancelled_at=self._clock.now(),
                cancel_randomized=randomized and bool(spread),
            )
            await self._store.save_event(cancelled, self.programs[event.program])
            self._put(cancelled)
        self.on_dispatch(cancelled)
        return cancelled

    def event(self, mrid: str) -> Event:
        """Return an event.

        Raises:
            UnknownItemError: There is none of this mRID.
        """
        event = self._by_mrid.get(mrid.upper())
        if event is None:
            raise UnknownItemError(f"no event {mrid[:40]!r}")
        return event

    @property
    def events(self) -> Sequence[Event]:
        """All remembered events, latest first."""
        return tuple(reversed(self._by_mrid.values()))

    def state(self, event: Event) -> EventState:
        """Return how an event stands now."""
        return state_of(event, self._overlap(event), self._clock.now())

    def shown(self, program: int, edition: Edition) -> Sequence[tuple[Event, EventState]]:
        """Return a programme's events as a home of this edition sees them now, in list order.

        The order is the standard's: start, then creationTime descending, then mRID descending.
        """
        now = self._clock.now()
        items: list[tuple[Event, EventState]] = []
        for event in self._events[program]:
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
        old = self._clock.now() - MEMORY_S
        for index, events in self._events.items():
            self._events[index] = tuple(e for e in events if e.latest_end > old)
        self._by_mrid = {m: e for m, e in self._by_mrid.items() if e.latest_end > old}

    def _overlap(self, event: Event) -> Overlap:
        return self._overlaps[event.program].get(event.mrid, Overlap())

    def _put(self, event: Event) -> None:
        self._by_mrid[event.mrid] = event
        others = (e for e in self._events[event.program] if e.mrid != event.mrid)
        self._arrange(event.program, (*others, event), event)

    def _put_all(self, events: Sequence[Event]) -> None:
        self._by_mrid = {e.mrid: e for e in sorted(events, key=lambda e: (e.created, e.mrid))}
        for index in self.programs:
            self._arrange(index, [event for event in events if event.program == index], None)

    def _arrange(self, program: int, events: Sequence[Event], changed: Event | None) -> None:
        """Put a programme's events in order, and see what takes what from which."""
        ordered = sorted(events, key=lambda e: (e.created, e.mrid), reverse=True)
        ordered.sort(key=lambda e: e.start)
        self._events[program] = tuple(ordered)
        self._overlaps[program] = overlaps(
            ordered, self._overlaps[program], self._clock.now(), changed
        )

    # Subscriptions

    def subscriptions_of(self, lfdi: str) -> Sequence[SubscriptionRecord]:
        """Return a home's subscriptions in the order they came."""
        return [item for item in self._subscriptions.values() if item.lfdi == lfdi]

    def subscriptions_to(self, resource: str) -> Sequence[SubscriptionRecord]:
        """Return the subscriptions to a resource."""
        return [item for item in self._subscriptions.values() if item.resource == resource]

    def subscription(self, number: int) -> SubscriptionRecord | None:
        """Return a subscription; None if it is gone."""
        return self._subscriptions.get(number)

    async def subscribe(self, item: SubscriptionRecord) -> SubscriptionRecord:
        """Keep a subscription (its `id` is ignored); one for the same resource is replaced."""
        kept = await self._store.save_subscription(item)
        self._subscriptions[kept.id] = kept
        return kept

    async def unsubscribe(self, number: int) -> None:
        """Forget a subscription."""
        await self._store.delete_subscription(number)
        self._subscriptions.pop(number, None)


_LAST_OF_SECOND = 0.999999


def _nobody(_event: Event) -> None:
    """Stand in until someone listens."""
