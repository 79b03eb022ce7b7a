"""Who is told what now: each occasion once, none in quiet hours, never a flood. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hems.push.occasions import Occasion
from hems.push.subscription import Subject, Subscription

RATE_S: Final = 3600.0
MOST: Final = 8
"""So many are told to one browser within `RATE_S`."""
MOST_URGENT: Final = 12
"""So many where they are urgent."""
AGAIN_S: Final[Mapping[str, float]] = {Subject.ALARMS: 3600.0}
"""What has not held for so long is news when it holds again."""
_AGAIN_S: Final = 7 * 86_400.0
_GAP_S: Final = 60.0
"""What was gone for longer holds since it came back."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """How long an occasion has held.

    Attributes:
        first_at: Since when, UTC epoch seconds.
        last_at: When it was seen last.
    """

    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What was seen, and what was told.

    Attributes:
        since: Since when it is looked, UTC epoch seconds: what may have held before is not over.
        seen: Occasions by key; not kept over a restart.
        told: By subscription and key, when; kept.
    """

    since: float = 0.0
    seen: Mapping[str, Sighting] = field(default_factory=dict)
    told: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """Something to be told to somebody now."""

    subscription: Subscription
    occasion: Occasion


def turns(
    subscriptions: Iterable[Subscription],
    present: Sequence[Occasion],
    memory: Memory,
    *,
    now: float,
    minute: int,
    room: int,
) -> tuple[list[Turn], Memory]:
    """Return what is to be told now, and the memory after it.

    Args:
        subscriptions: Who wants to be told.
        present: All occasions that hold now.
        memory: What was seen and told before.
        now: UTC epoch seconds.
        minute: Minute of the day by the home's clock, for quiet hours.
        room: How many can be sent off now; the others wait.
    """
    seen = _seen(present, memory.seen, now)
    found: list[Turn] = []
    told: dict[str, Mapping[str, float]] = {}
    for subscription in subscriptions:
        before = _remembered(memory, subscription.id, seen, now)
        mine = dict(before)
        for occasion in present:
            held_s = now - seen[occasion.key].first_at
            if len(found) < room and _its_turn(
                subscription, occasion, mine, held_s=held_s, now=now, minute=minute
            ):
                mine[occasion.key] = now
                found.append(Turn(subscription, occasion))
        told[subscription.id] = mine
    return found, Memory(memory.since, seen, told)


def begun(subscription: Subscription, present: Iterable[Occasion], memory: Memory) -> Memory:
    """Return the memory with a new subscription, for which what holds already is no news."""
    told = {occasion.key: subscription.since - RATE_S for occasion in present}
    return replace(memory, told={**memory.told, subscription.id: told})


def _its_turn(
    subscription: Subscription,
    occasion: Occasion,
    told: Mapping[str, float],
    *,
    held_s: float,
    now: float,
    minute: int,
) -> bool:
    if occasion.subject not in subscription.subjects or occasion.key in told:
        return False
    if occasion.after and occasion.after not in told:
        return False
    if held_s < occasion.steady_s:
        return False
    if subscription.quiet is not None and subscription.quiet.holds(minute):
        return False
    lately = sum(now - RATE_S < at <= now for at in told.values())
    return lately < (MOST_URGENT if occasion.urgent else MOST)


def _seen(
    present: Iterable[Occasion], before: Mapping[str, Sighting], now: float
) -> dict[str, Sighting]:
    keys = {occasion.key for occasion in present}
    known = {key: Sighting(_first(before.get(key), now), now) for key in keys}
    lasting = {
        key: sighting
        for key, sighting in before.items()
        if key not in keys and now - sighting.last_at <= again_s(key)
    }
    return {**lasting, **known}


def _first(before: Sighting | None, now: float) -> float:
    """Return since when an occasion holds: one that was gone for a moment begins anew."""
    return now if before is None or now - before.last_at > _GAP_S else before.first_at


def _remembered(
    memory: Memory, subscription: str, seen: Mapping[str, Sighting], now: float
) -> dict[str, float]:
    """Return what was told to somebody, but for things that are long over."""
    kept = {}
    for key, at in memory.told.get(subscription, {}).items():
        last = max(at, memory.since, seen[key].last_at if key in seen else at)
        if now - last <= again_s(key):
            kept[key] = at
    return kept


def again_s(key: str) -> float:
    """Return how long an occasion must not have held to be news again, s."""
    return AGAIN_S.get(key.partition(":")[0], _AGAIN_S)
