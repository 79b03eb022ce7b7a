"""How long somebody who guesses has to wait: longer each time, but never for ever. Pure.

Who guesses is held up, not who is guessed at: what counts is where an attempt comes from. Counted
are attempts at this name from this origin, and from this origin under whatever name; of origins
beyond the home's network also all at this name, for they are without number, but for half a minute
at most. A browser from which the owner has been in before counts for itself alone (`browsers`), so
whatever others do from wherever, the owner gets in from there; from a new browser at home only
attempts from that very address are in the way; and at the hub's own machine none are.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FORGET_S: Final = 3600.0
"""After so long without an attempt, all is forgotten."""
_MOST_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted together.

    Attributes:
        key: By what.
        free: Failures that cost nothing.
        longest_s: The longest wait, in s.
    """

    key: tuple[str, ...]
    free: int
    longest_s: float


@dataclass(frozen=True, slots=True)
class Tries:
    """Failures that count.

    Attributes:
        failures: How many.
        last: When the last one was, in s of the monotonic clock.
    """

    failures: int = 0
    last: float = 0.0


def wait_s(tries: Tries, count: Count, now: float) -> float:
    """Return for how long no further attempt is taken, in s: 1, 2, 4, ... after the free ones."""
    beyond = tries.failures - count.free
    if not tries.failures or beyond < 0 or now - tries.last >= FORGET_S:
        return 0.0
    delay = min(count.longest_s, 2.0 ** min(beyond, 30))
    return max(0.0, tries.last + delay - now)


def after(tries: Tries, now: float) -> Tries:
    """Return what counts after one more failure."""
    quiet = now - tries.last >= FORGET_S
    return Tries(1 if quiet else tries.failures + 1, now)


@dataclass(frozen=True, slots=True)
class From:
    """Where an attempt comes from.

    Attributes:
        origin: The address, or its network.
        near: Whether it is on the home's own network.
        here: Whether it is the hub's own machine.
        browser: The browser, where it is one from which this account has been in before; empty
            for others.
    """

    origin: str
    near: bool = False
    here: bool = False
    browser: str = ""


def counts(name: str, place: From) -> tuple[Count, ...]:
    """Return what an attempt to log in counts for, the narrowest first.

    Args:
        name: Of the account, whether or not there is one, as names are compared.
        place: Where from.
    """
    if place.browser:
        return (Count(("browser", name, place.browser), 5, 900.0),)
    own = (
        Count(("pair", name, place.origin), 5, 900.0),
        Count(("origin", place.origin), 20, 900.0),
    )
    apart = place.here or place.near
    return own if apart else (*own, Count(("name", name), 20, 30.0))


def code_counts(name: str, place: From) -> tuple[Count, ...]:
    """Return what a wrong code counts for, of somebody who knew the password.

    There are a million codes only, so they are counted over all unknown origins; who gets as far
    has the password, and from where the owner has been in before, that is not in their way.
    """
    if place.here or place.browser:
        return (Count(("own code", name, place.browser), 5, 300.0),)
    return (Count(("code", name), 5, 300.0),)


class Brake:
    """Counts attempts; of the oldest it forgets those beyond a few thousand."""

    def __init__(self) -> None:
        self._tries: OrderedDict[tuple[str, ...], Tries] = OrderedDict()

    def wait_s(self, counted: Sequence[Count], now: float) -> float:
        """Return for how long no attempt of these is taken, in s; 0 for now."""
        return max(wait_s(self._tries.get(c.key, Tries()), c, now) for c in counted)

    def begin(self, counted: Sequence[Count], now: float) -> None:
        """Count an attempt as failed before it is made: many at once are as many."""
        for count in counted:
            self._tries[count.key] = after(self._tries.get(count.key, Tries()), now)
            self._tries.move_to_end(count.key)
        while len(self._tries) > _MOST_KEPT:
            self._tries.popitem(last=False)

    def passed(self, counted: Sequence[Count]) -> None:
        """Take back what `begin` counted, and forget the first one's failures altogether."""
        first, *others = counted
        self._tries.pop(first.key, None)
        self.undo(others)

    def undo(self, counted: Sequence[Count]) -> None:
        """Take back what `begin` counted: it was no failure, and excuses none either."""
        for count in counted:
            tries = self._tries.get(count.key, Tries())
            if tries.failures > 1:
                self._tries[count.key] = Tries(tries.failures - 1, tries.last)
            else:
                self._tries.pop(count.key, None)
