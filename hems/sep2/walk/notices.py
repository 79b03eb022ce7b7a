"""Whether notifications come for what is subscribed to, or polling must do without them. Pure.

What is subscribed to is polled less often once notifications are known to come. A poll that finds
something new of which nobody told puts the subscription under suspicion; if no notification comes
within a while after it, the subscription is worth nothing: polling goes back to the server's poll
rate, and the subscription is made anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hems.sep2 import resources as res
from hems.sep2.resources.base import Event, List, SubscribableList
from hems.sep2.resources.layout import layout
from hems.sep2.resources.wire import Record
from hems.sep2.xml import serialize

SLOWER: Final = 3.0
"""So much less often something is polled whose notifications come."""

LONGEST_S: Final = 900.0
"""No poll is put off beyond this: so late a change is found at most if notifications stop."""

PROOF_S: Final = 86_400.0
"""A notification proves for so long that the next ones would come too."""

GRACE_S: Final = 60.0
"""A notification may come so much later than the change that it tells of (s)."""

_CANCELLED: Final = frozenset({2, 3})

Mark: TypeAlias = Mapping[str, object]
"""What a resource held when it was last known: for each item its name, and what of it counts."""


def mark_of(resource: Record) -> Mark | None:
    """Return what is to be told of a resource; None where it is not all there.

    Of a list that is which items it has, and of events also their creation and cancellation: what
    a server does of itself as time passes (active, completed, cleared away) need not be told.
    """
    if isinstance(resource, List | SubscribableList):
        slot = layout(type(resource)).items
        items: Sequence[Record] = getattr(resource, slot.attr) if slot is not None else ()
        if len(items) < resource.all:
            return None
        return {_name(item): _version(item) for item in items}
    if isinstance(resource, Event) or not isinstance(resource, res.Resource):
        return None
    return {"": serialize(replace(resource, href=None))}


def with_event(mark: Mark, resource: Record) -> Mark | None:
    """Return a list's mark once one event of it has been told of; None if that cannot be said."""
    return {**mark, _name(resource): _version(resource)} if isinstance(resource, Event) else None


def tells_news(before: Mark, after: Mark) -> bool:
    """Whether there is something that was not there, or not so, before."""
    return any(name not in before or before[name] != what for name, what in after.items())


def lacks(before: Mark, after: Mark) -> bool:
    """Whether something is not there any more."""
    return not before.keys() <= after.keys()


def _name(item: Record) -> str:
    return getattr(item, "mrid", None) or getattr(item, "href", None) or repr(item)


def _version(item: Record) -> object:
    if not isinstance(item, Event):
        return None
    return item.creation_time, item.event_status.current_status in _CANCELLED


@dataclass(slots=True)
class _Watched:
    """A subscription that stands.

    Attributes:
        proven_at: When its last notification came; None if none has yet.
        suspected_at: When something was found that no notification had told.
    """

    proven_at: float | None = None
    suspected_at: float | None = None


class Notices:
    """What is known of the subscriptions that stand, by the place of what they are for.

    All times are of one monotonic clock, in s.

    Args:
        grace_s: How much later than a change its notification may come.
    """

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._watched: dict[str, _Watched] = {}

    def stand(self, places: frozenset[str]) -> None:
        """Set what is subscribed to; what is known of those that stood before stays."""
        self._watched = {p: self._watched.get(p) or _Watched() for p in sorted(places)}

    def begin(self, place: str) -> None:
        """Note that a subscription was made, of which nothing is known yet."""
        self._watched[place] = _Watched()

    def told(self, place: str, now: float) -> None:
        """Note that a notification came."""
        watched = self._watched.get(place)
        if watched is not None:
            watched.proven_at, watched.suspected_at = now, None

    def found(self, place: str, now: float) -> bool:
        """Note that a poll found news; returns whether that puts its subscription in doubt."""
        watched = self._watched.get(place)
        if watched is None or watched.suspected_at is not None:
            return False
        watched.suspected_at = now
        return True

    def poll_s(self, place: str, poll_s: float, now: float) -> float:
        """Return how often to poll something, given its poll rate."""
        watched = self._watched.get(place)
        if watched is None or watched.proven_at is None or watched.suspected_at is not None:
            return poll_s
        if now - watched.proven_at > PROOF_S:
            return poll_s
        return max(poll_s, min(SLOWER * poll_s, LONGEST_S))

    def untold(self, now: float) -> Sequence[str]:
        """Return the places whose notifications did not come."""
        return [p for p, s in self._suspicions() if now - s >= self._grace_s]

    def due_s(self, now: float) -> float | None:
        """Return the seconds until the next of them is known; None if none is in doubt."""
        waits = [s + self._grace_s - now for _, s in self._suspicions()]
        return max(0.0, min(waits)) if waits else None

    def _suspicions(self) -> Sequence[tuple[str, float]]:
        found = ((p, w.suspected_at) for p, w in self._watched.items())
        return [(p, s) for p, s in found if s is not None]
