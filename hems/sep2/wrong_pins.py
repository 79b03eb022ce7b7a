"""Servers that did not know the home's PIN, and when each may be asked once more. Pure.

A PIN is mistyped at a utility and put right; somebody with a certificate of the same authority
answers in the utility's place for a while. Neither may shut a home out for good, so that such a
server is asked again after a while, up to its Registration and no further.

That the home goes on where the PIN is right would let a false server guess: it has 100 000 to
choose from. So each wrong PIN within a day doubles the wait, and what is right in between forgives
none of them: some thirty guesses a day take years.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

FIRST_S: Final = 30.0
LONGEST_S: Final = 3600.0
REMEMBERED_S: Final = 86_400.0
_MOST: Final = 64
"""So many servers are told apart; of more, the one that was wrong longest ago is forgotten."""


@dataclass(slots=True)
class WrongPins:
    """Who was wrong, and when; times are of one monotonic clock, in s.

    Attributes:
        first_s: How long one is left alone after one wrong PIN.
        longest_s: How long at most.
    """

    first_s: float = FIRST_S
    longest_s: float = LONGEST_S
    _wrong: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def add(self, bases: Iterable[str], now: float) -> None:
        """Note that a server did not know the PIN.

        Args:
            bases: The origins that led to it.
            now: When.
        """
        for base in bases:
            times = self._within_a_day(base, now)
            self._wrong.pop(base, None)
            self._wrong[base] = (*times, now)
        while len(self._wrong) > _MOST:
            del self._wrong[next(iter(self._wrong))]

    def wait_s(self, base: str, now: float) -> float:
        """Return for how long a server is to be left alone yet; 0 for one that may be asked."""
        times = self._within_a_day(base, now)
        if not times:
            return 0.0
        pause_s = min(self.longest_s, self.first_s * 2.0 ** min(len(times) - 1, 30))
        return max(0.0, pause_s - (now - times[-1]))

    def knows(self, base: str | None, now: float) -> bool:
        """Whether a server, or with None any, was wrong within a day."""
        bases = self._wrong if base is None else (base,)
        return any(self._within_a_day(each, now) for each in bases)

    def _within_a_day(self, base: str, now: float) -> tuple[float, ...]:
        return tuple(at for at in self._wrong.get(base, ()) if now - at < REMEMBERED_S)
