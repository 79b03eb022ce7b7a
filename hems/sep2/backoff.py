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
