"""The arbiter of support wishes: which function each device runs, and what it must be told now.

Pure. Each place of a device (`programs.support.Place`) goes to one wish: the strongest rank, of
equals the one that began last. What a device holds is told again before it lapses; what nobody
asks any more is stopped; a device that refuses is asked again ever more seldom, unless it is asked
for something else. After a restart nothing is known to be held, so whatever is asked is told anew,
which a device that runs it already answers by beginning its time anew.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from der.sentence import say
from programs.support import FixedFactor, FixedVar, Place, SupportWish, What, in_words

Key: TypeAlias = tuple[str, Place]
"""Device id and place."""

_REFRESH_SHARE: Final = 1 / 3
"""What is held is told again after this share of its lapse time: two attempts may be lost."""
_WHOLE_SECOND: Final = 1.0


@dataclass(frozen=True, slots=True)
class SupportPolicy:
    """The arbiter's times, in s.

    Attributes:
        restrict_lapse_s: Longest lapse of a function that a device runs by itself.
        drive_lapse_s: Lapse of a value that the hub decides as it measures.
        grace_s: Time by which what is held outlives its wish, so that the hub ends it.
        retry_s: Time to the next attempt after a lost answer; it doubles.
        longest_retry_s: The longest such time.
        refused_s: Time to the next attempt after a refusal; it doubles.
        longest_refused_s: The longest such time.
    """

    restrict_lapse_s: float = 900.0
    drive_lapse_s: float = 30.0
    grace_s: float = 10.0
    retry_s: float = 2.0
    longest_retry_s: float = 60.0
    refused_s: float = 300.0
    longest_refused_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a device has confirmed that it runs or holds.

    Attributes:
        what: That.
        lapse_s: After how many seconds it ends it by itself.
        at: When it confirmed, UTC epoch seconds.
        doubtful: Whether it may do something else by now.
    """

    what: What
    lapse_s: float
    at: float
    doubtful: bool = False

    @property
    def until(self) -> float:
        """When it ends by itself."""
        return self.at + self.lapse_s


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a device did not take.

    Attributes:
        what: That; None to stop what it holds.
        why: In words.
        times: How often in a row.
        until: No further attempt before, UTC epoch seconds.
        lasting: Whether it refused, rather than that an answer was lost.
    """

    what: What | None
    why: str
    times: int
    until: float
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class SupportMemory:
    """What is remembered of support from one decision to the next."""

    held: Mapping[Key, Held] = field(default_factory=dict)
    troubles: Mapping[Key, Trouble] = field(default_factory=dict)

    def confirmed(self, key: Key, what: What | None, lapse_s: float, at: float) -> "SupportMemory":
        """Return the memory after a device confirmed; None that it stopped."""
        held = {k: h for k, h in self.held.items() if k != key}
        if what is not None:
            held[key] = Held(what, lapse_s, at)
        return SupportMemory(held, {k: t for k, t in self.troubles.items() if k != key})

    def failed(
        self,
        key: Key,
        what: What | None,
        why: str,
        now: float,
        *,
        lasting: bool,
        policy: SupportPolicy,
    ) -> "SupportMemory":
        """Return the memory after a device did not take something.

        Args:
            key: Device and place.
            what: What it was to run; None to stop.
            why: In words.
            now: UTC epoch seconds.
            lasting: Whether it refused, and trying again at once is no use.
            policy: When it is tried again.
        """
        before = self.troubles.get(key)
        times = before.times + 1 if before is not None and _again(before.what, what) else 1
        first_s = policy.refused_s if lasting else policy.retry_s
        most_s = policy.longest_refused_s if lasting else policy.longest_retry_s
        wait_s = min(first_s * 2.0 ** min(times - 1, 16), most_s)
        held = self.held
        if key in held:  # it may have got half-way
            held = {**held, key: replace(held[key], doubtful=True)}
        trouble = Trouble(what, why, times, now + wait_s, lasting)
        return SupportMemory(held, {**self.troubles, key: trouble})

    def doubted(self, device: str) -> "SupportMemory":
        """Return the memory with doubt about all that a device holds: it may have restarted."""
        held = {k: replace(h, doubtful=True) if k[0] == device else h for k, h in self.held.items()}
        return replace(self, held=held)

    def shifted(self, by_s: float) -> "SupportMemory":
        """Return the memory with its times moved by as much as UTC was set, in s.

        A step forwards may have been the machine's sleep, in which what is held lapsed.
        """
        return SupportMemory(
            {
                k: replace(h, at=h.at + by_s, doubtful=h.doubtful or by_s > 0)
                for k, h in self.held.items()
            },
            {k: replace(t, until=t.until + by_s) for k, t in self.troubles.items()},
        )


@dataclass(frozen=True, slots=True)
class Due:
    """What one device must be told now.

    Attributes:
        device: Its id.
        place: What of it is taken up.
        what: What it is to run or hold; None to stop.
        before: What it holds that has to be stopped first, or is to be stopped; None for nothing.
        lapse_s: After how many seconds it is to end it by itself.
        source: Whose word it is.
        cause: mRID of the event behind it, empty if none.
        reason: One sentence for the owner.
        refresh: Whether it only renews what the device holds.
    """

    device: str
    place: Place
    what: What | None
    before: What | None = None
    lapse_s: float = 0.0
    source: str = ""
    cause: str = ""
    reason: str = ""
    refresh: bool = False

    @property
    def key(self) -> Key:
        """Device and place."""
        return self.device, self.place


@dataclass(frozen=True, slots=True)
class Yielded:
    """A wish that gave way to another, and the sentence that says so."""

    wish: SupportWish
    to: SupportWish

    @property
    def words(self) -> str:
        """Why, for the owner."""
        return say(
            "{reason}: gives way, since {lower}",
            reason=self.wish.reason,
            lower=_lower(self.to.reason),
        )


@dataclass(frozen=True, slots=True)
class Supports:
    """What the arbiter made of all support wishes.

    Attributes:
        chosen: Whose wish each place of each device follows.
        yielded: The wishes that gave way.
        due: What is to be told now.
        memory: For the next decision.
    """

    chosen: Mapping[Key, SupportWish]
    yielded: tuple[Yielded, ...]
    due: tuple[Due, ...]
    memory: SupportMemory


def decide(
    wishes: Iterable[SupportWish],
    memory: SupportMemory,
    reachable: Collection[str],
    now: float,
    policy: SupportPolicy,
) -> Supports:
    """Return what each device is to run, and what has to be told for it.

    Args:
        wishes: From every programme, in any order.
        memory: What is known of before.
        reachable: Ids of the devices that can be told something now.
        now: UTC epoch seconds.
        policy: The arbiter's times.
    """
    chosen, yielded = choose(wishes, now)
    held = {k: h for k, h in memory.held.items() if k in chosen or now < h.until}
    troubles = {
        k: t
        for k, t in memory.troubles.items()
        if (k in chosen and _again(t.what, chosen[k].what)) or (t.what is None and k in held)
    }
    memory = SupportMemory(held, troubles)
    due = [
        order
        for key in sorted({*chosen, *held})
        if key[0] in reachable
        and (order := _due(key, chosen.get(key), memory, now, policy)) is not None
    ]
    return Supports(chosen, yielded, tuple(due), memory)


def choose(
    wishes: Iterable[SupportWish], now: float
) -> tuple[Mapping[Key, SupportWish], tuple[Yielded, ...]]:
    """Return which wish each place follows, and which wishes gave way; in any order the same."""
    chosen: dict[Key, SupportWish] = {}
    yielded: list[Yielded] = []
    for wish in sorted(wishes, key=_order):
        if now >= wish.expires_at or not _sound(wish.what):
            continue
        key = wish.device, wish.place
        first = chosen.setdefault(key, wish)
        if first is not wish and not same(first.what, wish.what):
            yielded.append(Yielded(wish, first))
    return chosen, tuple(yielded)


def same(one: What | None, other: What | None) -> bool:
    """Return whether a device that holds one need not be told the other."""
    if isinstance(one, FixedVar) and isinstance(other, FixedVar):
        return abs(one.reactive_var - other.reactive_var) <= other.tolerance_var
    return one == other


def _again(one: What | None, other: What | None) -> bool:
    """Return whether asking for one after the other is asking again: it follows a measurement."""
    if isinstance(one, FixedVar) and isinstance(other, FixedVar) and other.tolerance_var > 0:
        return True
    return same(one, other)


def sentences(supports: Supports) -> Mapping[str, tuple[str, ...]]:
    """Return what each device runs or holds, with whose word it is, one sentence each."""
    found: dict[str, list[str]] = {}
    for key, held in sorted(supports.memory.held.items()):
        wish = supports.chosen.get(key)
        words = in_words(held.what)
        why = "" if wish is None else f": {_lower(wish.reason)}"
        found.setdefault(key[0], []).append(f"{words[0].upper()}{words[1:]}{why}")
    return {device: tuple(each) for device, each in found.items()}


def refused_by(supports: Supports, cause: str, place: Place) -> frozenset[str]:
    """Return the devices that refuse what an event asks of a place of them.

    Returns:
        None of them while one that it is asked of runs it, or may yet.
    """
    asked = {k: w for k, w in supports.chosen.items() if w.cause == cause and k[1] is place}
    troubles = supports.memory.troubles
    if all(
        (trouble := troubles.get(key)) is not None
        and trouble.lasting
        and _again(trouble.what, wish.what)
        for key, wish in asked.items()
    ):
        return frozenset(device for device, _ in asked)
    return frozenset()


def _due(
    key: Key, wish: SupportWish | None, memory: SupportMemory, now: float, policy: SupportPolicy
) -> Due | None:
    held, trouble = memory.held.get(key), memory.troubles.get(key)
    wanted = None if wish is None else wish.what
    if trouble is not None and now < trouble.until and _again(trouble.what, wanted):
        return None
    if wish is None:
        return None if held is None else Due(*key, None, held.what)
    lapse_s = _lapse_s(wish, now, policy)
    stays = held is not None and not held.doubtful and same(held.what, wish.what)
    if stays and held is not None:
        # One confirmed in the future was confirmed nobody knows when.
        young = 0.0 <= now - held.at < held.lapse_s * _REFRESH_SHARE
        # What lasts until the hub will end it anyway need not be renewed.
        lasts = held.at <= now and held.until >= wish.expires_at + policy.grace_s - _WHOLE_SECOND
        if young or lasts:
            return None
    before = None
    if held is not None and now < held.until and _kind(held.what) != _kind(wish.what):
        before = held.what
    return Due(
        *key, wish.what, before, lapse_s, wish.source, wish.cause, wish.reason, refresh=stays
    )


def _lapse_s(wish: SupportWish, now: float, policy: SupportPolicy) -> float:
    most_s = policy.drive_lapse_s if wish.steered else policy.restrict_lapse_s
    return float(math.ceil(min(wish.expires_at - now + policy.grace_s, most_s)))


def _kind(what: What) -> object:
    """Return by what means a device does something; two of the same replace one another."""
    return "held" if isinstance(what, FixedVar | FixedFactor) else what.function


def _sound(what: What) -> bool:
    """Return whether what is to be held is a number at all; the rest a device checks itself."""
    match what:
        case FixedVar():
            return math.isfinite(what.reactive_var)
        case FixedFactor():
            return all(0.0 < abs(f) <= 1.0 for f in (what.producing, what.charging))
        case _:
            return True


def _order(wish: SupportWish) -> tuple[object, ...]:
    """Return a total order: rank, then what began last; the rest makes it hang on no order."""
    return (
        wish.rank,
        -wish.starts_at,
        wish.source,
        wish.cause,
        wish.device,
        str(wish.what),
        wish.expires_at,
    )


def _lower(sentence: str) -> str:
    """Return a sentence to go on another, unless it begins with a name."""
    known = ("The ", "A ", "At ")
    return sentence[:1].lower() + sentence[1:] if sentence.startswith(known) else sentence
