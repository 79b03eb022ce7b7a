"""How long to wait: between polls, and after a failure."""

import random
from typing import Final

from hems.sep2.errors import Sep2Error, TransientError

FIRST_S: Final = 1.0
LONGEST_S: Final = 300.0
_JITTER: Final = 0.1


def after_failure(
    failures: int,
    error: Sep2Error,
    rng: random.Random,
    *,
    first_s: float = FIRST_S,
    longest_s: float = LONGEST_S,
) -> float:
    """Return the seconds to wait after the n-th failure in a row (n from 1).

    Full jitter over a bound that doubles, so that a fleet does not come back all at once; never
    less than the server's Retry-After.
    """
    bound = min(longest_s, first_s * 2.0 ** min(failures - 1, 30))
    asked = error.retry_after_s if isinstance(error, TransientError) else None
    return (asked or 0.0) + rng.uniform(0.0, bound)


def until_next_poll(poll_s: float, rng: random.Random) -> float:
    """Return the seconds to the next poll: never sooner than asked, up to a tenth later."""
    return poll_s * (1.0 + _JITTER * rng.random())


class Backoff:
    """The waits of one who tries again until it works.

    Each nature of trouble (an error's class) has a count of its own: a server that times out, then
    says that it is busy, then refuses connections is on its way back, and what was waited for the
    first says nothing about the next. Two troubles that take turns still double, each by itself.

    Args:
        rng: Source of jitter.
        first_s: Upper bound of the first wait.
        longest_s: Upper bound of any wait, a Retry-After aside.
    """

    def __init__(
        self, rng: random.Random, *, first_s: float = FIRST_S, longest_s: float = LONGEST_S
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._counts: dict[type[Sep2Error], int] = {}

    @property
    def failures(self) -> int:
        """Failures since it last worked, of whatever nature."""
        return sum(self._counts.values())

    def failed(self, error: Sep2Error, *, longest_s: float | None = None) -> float:
        """Note a failure; returns the seconds to wait.

        Args:
            error: What went wrong.
            longest_s: Upper bound of this wait, where it is another than usual.
        """
        nature = type(error)
        self._counts[nature] = self._counts.get(nature, 0) + 1
        return after_failure(
            self._counts[nature],
            error,
            self._rng,
            first_s=self._first_s,
            longest_s=self._longest_s if longest_s is None else longest_s,
        )

    def worked(self) -> None:
        """Note that it worked: what comes next is a new trouble."""
        self._counts.clear()
