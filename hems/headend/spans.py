"""Events that stand by themselves: prices, messages, grants. None takes anything from another."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

from hems.clock import Clock
from hems.headend.db.held import Changed
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.modes import Edition
from hems.headend.shelf import Owned, Shelf
from hems.headend.status import (
    EventState,
    Keeping,
    Overlap,
    Status,
    next_change,
    shown_state,
    state_of,
)

CANCELLED_S = 3600
"""How long a cancelled one stays in its list, where its own end does not come first."""

MEMORY_S = 7 * 86400
"""How long one that is over can be asked for by the operator."""


@dataclass(frozen=True, slots=True)
class Span:
    """When something holds.

    Attributes:
        mrid: 32 upper-case hex digits.
        start: Epoch s.
        duration_s: How long.
        accepted_at: When it was durable, epoch s.
        cancelled_at: When it was cancelled; None if it was not.
    """

    mrid: str
    start: int
    duration_s: int
    accepted_at: float
    cancelled_at: float | None = None

    @property
    def created(self) -> int:
        """creationTime, whole seconds."""
        return int(self.accepted_at)

    @property
    def earliest_start(self) -> int:
        """When it begins."""
        return self.start

    @property
    def latest_end(self) -> int:
        """When it ends."""
        return self.start + self.duration_s

    @property
    def cancel_randomized(self) -> bool:
        """Its cancellation is at once."""
        return False

    def cancelled(self, now: float) -> Self:
        """Return it as cancelled now."""
        return replace(self, cancelled_at=now)


class Spanned(Protocol):
    """A record with its time and whose list it is in."""

    @property
    def span(self) -> Span:
        """When it holds."""
        ...

    @property
    def owner(self) -> str:
        """Key of the list that it is in."""
        ...


T = TypeVar("T", bound=Spanned)


class Calendar(Generic[T]):
    """Records with their times, durable first, then seen by every worker. `Store.load` reads them.

    Args:
        shelf: Where they are kept.
        clock: The utility's time.
        noun: What one is, for messages.
        recall_s: How long one that was cancelled can be asked for by the operator.

    Attributes:
        on_change: Called with those that are new or other, by any worker, once that is durable.
    """

    def __init__(
        self, shelf: Shelf[T], clock: Clock, noun: str, recall_s: float = MEMORY_S
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._noun = noun
        self._recall_s = recall_s
        self._keeping = Keeping()
        self._lists: dict[str, tuple[T, ...]] = {}
        self.on_change: Callable[[Sequence[T]], None] = _nobody
        shelf.follow(self._take)

    def changing(self) -> AbstractAsyncContextManager[object]:
        """Return a block in which nothing that workers hold in memory changes by another."""
        return self._shelf.database.changing()

    @property
    def owners(self) -> Sequence[str]:
        """Keys of the lists that hold any."""
        return tuple(self._lists)

    def of(self, owner: str) -> Sequence[T]:
        """Return a list in the standard's order: start, creationTime and mRID descending."""
        return self._lists.get(owner, ())

    def find(self, mrid: str) -> T | None:
        """Return one; None if there is none of this mRID."""
        return self._shelf.find(mrid.upper())

    def get(self, mrid: str) -> T:
        """Return one.

        Raises:
            UnknownItemError: There is none of this mRID.
        """
        found = self.find(mrid)
        if found is None:
            raise UnknownItemError(f"no {self._noun} {mrid[:40]!r}")
        return found

    def state(self, item: T) -> EventState:
        """Return how one stands now."""
        return state_of(item.span, Overlap(), self._clock.now())

    def shown(self, owner: str, edition: Edition) -> Sequence[tuple[T, EventState]]:
        """Return a list as a home of this edition sees it now."""
        return list(self._shown(owner, edition))

    def next_change(self) -> float | None:
        """Return the next time at which any list changes by itself, epoch s; None: never."""
        now = self._clock.now()
        times: list[float] = []
        for item in self._shelf.items:
            span = item.span
            due = next_change(span, Overlap(), now, self._keeping)
            times += [] if due is None else [due]
            if span.cancelled_at is not None and span.cancelled_at + CANCELLED_S > now:
                times.append(span.cancelled_at + CANCELLED_S)
        return min(times, default=None)

    async def keep(self, *items: T) -> None:
        """Make records durable, all or none, then visible; those of the same mRID are replaced.

        Raises:
            BusyError: The database cannot take them; nothing changed.
        """
        await self._shelf.put(*((item.span.mrid, item.owner, item) for item in items))

    def check_open(self, item: T) -> None:
        """Refuse to change what is over.

        Raises:
            ConflictError: It is completed, or cancelled.
        """
        if item.span.cancelled_at is not None:
            raise ConflictError(f"{self._noun} {item.span.mrid} is cancelled already")
        if self.state(item).status is Status.COMPLETED:
            raise ConflictError(f"{self._noun} {item.span.mrid} is over")

    def open(self, owner: str) -> Sequence[T]:
        """Return those of a list that are neither over nor cancelled."""
        now = self._clock.now()
        return [
            item
            for item in self.of(owner)
            if item.span.cancelled_at is None and item.span.latest_end > now
        ]

    async def forget_old(self) -> None:
        """Let go of those that ended long ago, here and in the database.

        Raises:
            BusyError: The database cannot do it now.
        """
        old = [item.span.mrid for item in self._shelf.items if self._is_old(item.span)]
        await self._shelf.drop(*old)

    def _is_old(self, span: Span) -> bool:
        now, gone = self._clock.now(), span.cancelled_at
        return span.latest_end < now - MEMORY_S or (
            gone is not None and gone < now - self._recall_s
        )

    def _shown(self, owner: str, edition: Edition) -> Iterator[tuple[T, EventState]]:
        now = self._clock.now()
        for item in self.of(owner):
            gone = item.span.cancelled_at
            if gone is None or now < gone + CANCELLED_S:
                state = shown_state(item.span, Overlap(), edition, now, self._keeping)
                if state is not None:
                    yield item, state

    def _take(self, changes: Sequence[Changed[Owned[T]]]) -> None:
        lists: dict[str, dict[str, T | None]] = {}
        for each in changes:
            if each.before is not None:
                lists.setdefault(each.before.item.owner, {})[each.key] = None
            if each.after is not None:
                lists.setdefault(each.after.item.owner, {})[each.key] = each.after.item
        for owner, fresh in lists.items():
            kept = [i for i in self.of(owner) if i.span.mrid not in fresh]
            kept += [item for item in fresh.values() if item is not None]
            kept.sort(key=lambda i: (i.span.created, i.span.mrid), reverse=True)
            kept.sort(key=lambda i: i.span.start)
            self._lists[owner] = tuple(kept)
        self.on_change([each.after.item for each in changes if each.after is not None])


def _nobody(_items: Sequence[object]) -> None:
    """Stand in until someone listens."""


class AnyCalendar(Protocol):
    """A calendar of whatever, to look something up."""

    def find(self, mrid: str) -> Spanned | None:
        """Return one; None if there is none of this mRID."""
        ...
