"""What each event's status is at a given time: pure rules, IEEE 2030.5 10.2.3 (2018) and 2023.

The status is never stored. It follows from the events of one programme and the clock, so that a
restart, a late cancellation or an earlier supersession cannot leave it wrong.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from hems.headend.records import Edition, Event, Mode


class Status(IntEnum):
    """EventStatus.currentStatus."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_RANDOMIZED = 3
    SUPERSEDED = 4
    COMPLETED = 5


class Timed(Protocol):
    """What the state of anything that happens follows from; times in epoch s."""

    @property
    def created(self) -> int:
        """CreationTime."""
        ...

    @property
    def earliest_start(self) -> int:
        """When it begins at the earliest."""
        ...

    @property
    def latest_end(self) -> int:
        """When it ends at the latest."""
        ...

    @property
    def cancelled_at(self) -> float | None:
        """When it was cancelled; None if it was not."""
        ...

    @property
    def cancel_randomized(self) -> bool:
        """Whether its cancellation is randomised."""
        ...


@dataclass(frozen=True, slots=True)
class EventState:
    """One event's EventStatus.

    Attributes:
        status: What it is now.
        since: When that came about, whole epoch seconds.
        overlapped_since: creationTime of the first later event that takes a mode of it; None
            if there is none (potentiallySupersededTime of 2018).
    """

    status: Status
    since: int
    overlapped_since: int | None = None


@dataclass(frozen=True, slots=True)
class Overlap:
    """What newer events of the same programme take from an event.

    Attributes:
        since: creationTime of the first one that takes a mode of it; None if there is none.
        ended: When its last mode was taken, epoch s; None if it keeps one.
    """

    since: int | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long ended events stay in their list.

    Attributes:
        grace_s: For 2018 homes, which have no status 5: an event stays active this much past
            its latest end, so that a home whose clock lags does not take it for cancelled.
        completed_s: For 2023 homes, with status 5.
    """

    grace_s: int = 30
    completed_s: int = 300


def _newer(event: Event, other: Event) -> bool:
    """Whether `other` beats `event` within one programme: later creation, then greater mRID."""
    return (other.created, other.mrid) > (event.created, event.mrid)


def _overlap_begin(event: Event, other: Event) -> int | None:
    """When the two first meet; None if they never do, or one is cancelled before."""
    begin = max(event.earliest_start, other.earliest_start, other.created)
    if begin >= min(event.latest_end, other.latest_end):
        return None
    if other.cancelled_at is not None and other.cancelled_at <= begin:
        return None
    return begin


def overlap_of(event: Event, program: Iterable[Event]) -> Overlap:
    """Return how newer events of the same programme take the modes of `event`.

    Args:
        event: The event that may be superseded.
        program: All events of its programme; it may be among them.
    """
    taken: dict[Mode, int] = {}
    first: int | None = None
    for other in program:
        if not _newer(event, other) or event.modes.isdisjoint(other.modes):
            continue
        begin = _overlap_begin(event, other)
        if begin is None:
            continue
        first = other.created if first is None else min(first, other.created)
        for mode in event.modes & other.modes:
            taken[mode] = min(begin, taken.get(mode, begin))
    ended = max(taken.values()) if taken.keys() == event.modes else None
    return Overlap(first, ended)


def overlaps(
    program: Sequence[Event],
    known: Mapping[str, Overlap],
    now: float,
    changed: Event | None = None,
) -> dict[str, Overlap]:
    """Return the overlap of each event of a programme, by mRID.

    What is superseded already stays so (2018: it does not resume), whoever is cancelled later;
    only what may have changed is looked at again, each beside those that it meets.

    Args:
        program: All events of the programme.
        known: The last answer of this function, or nothing.
        now: Epoch seconds.
        changed: The one event that is new, or was cancelled, since then; None for any.
    """
    beside = _beside(program)
    met = None if changed is None else {changed.mrid, *(e.mrid for e in beside[changed.mrid])}
    answer: dict[str, Overlap] = {}
    for event in program:
        before = known.get(event.mrid)
        final = before is not None and before.ended is not None and before.ended <= now
        same = met is not None and event.mrid not in met
        if before is None or not (final or same):
            before = overlap_of(event, beside[event.mrid])
        answer[event.mrid] = before
    return answer


def _beside(program: Sequence[Event]) -> dict[str, list[Event]]:
    """Return by mRID those events whose time meets an event's own."""
    found: dict[str, list[Event]] = {event.mrid: [] for event in program}
    times = sorted(((e.earliest_start, e.latest_end, e) for e in program), key=lambda t: t[0])
    for place, (_, end, event) in enumerate(times, start=1):
        for start, _, later in itertools.islice(times, place, None):
            if start >= end:
                break
            found[event.mrid].append(later)
            found[later.mrid].append(event)
    return found


def state_of(event: Timed, overlap: Overlap, now: float) -> EventState:
    """Return an event's state at `now`, in the words of 2018 and 2023 together.

    What an edition has no word for is put in other words by `shown_state`.

    Args:
        event: The event.
        overlap: What newer events of its programme take from it.
        now: Epoch seconds.
    """
    ended = overlap.ended
    if event.cancelled_at is not None and (ended is None or event.cancelled_at <= ended):
        return _cancelled(event, overlap)
    if ended is not None and ended <= now:
        return EventState(Status.SUPERSEDED, ended, overlap.since)
    if now >= event.latest_end:
        return EventState(Status.COMPLETED, event.latest_end, overlap.since)
    if now >= event.earliest_start:
        return EventState(Status.ACTIVE, _active_since(event), overlap.since)
    return EventState(Status.SCHEDULED, event.created, overlap.since)


def _cancelled(event: Timed, overlap: Overlap) -> EventState:
    status = Status.CANCELLED_RANDOMIZED if event.cancel_randomized else Status.CANCELLED
    return EventState(status, int(event.cancelled_at or 0), overlap.since)


def _active_since(event: Timed) -> int:
    return max(event.created, event.earliest_start)


def shown_state(
    event: Timed, overlap: Overlap, edition: Edition, now: float, keeping: Keeping
) -> EventState | None:
    """Return the state in an edition's own words, or None where the event left the list.

    2018 has no status 5; 2023 servers send no status 4 (clients supersede by themselves).

    Args:
        event: The event.
        overlap: What newer events of its programme take from it.
        edition: Whom it is shown to.
        now: Epoch seconds.
        keeping: How long ended events stay.
    """
    if edition is Edition.Y2023:
        if now >= event.latest_end + keeping.completed_s:
            return None
        if event.cancelled_at is not None:
            return _cancelled(event, overlap)
        return state_of(event, Overlap(), now)
    if now >= event.latest_end + keeping.grace_s:
        return None
    state = state_of(event, overlap, now)
    if state.status is Status.COMPLETED:
        return EventState(Status.ACTIVE, _active_since(event), state.overlapped_since)
    return state


def next_change(event: Timed, overlap: Overlap, now: float, keeping: Keeping) -> float | None:
    """Return the next time after `now` at which an event's state may change; None: never."""
    end = event.latest_end
    times = [event.earliest_start, end, end + keeping.grace_s, end + keeping.completed_s]
    if overlap.ended is not None:
        times.append(overlap.ended)
    return min((at for at in times if at > now), default=None)
