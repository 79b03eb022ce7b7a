"""When the enterprise is asked again. Pure."""

from typing import Final

LONGEST_S: Final = 6 * 3600.0
_JITTER: Final = 0.1
_MOST_DOUBLINGS: Final = 16


def wait_s(every_s: float, failures: int, chance: float) -> float:
    """Return after how long to ask again, in s.

    Twice as long after each failure, six hours at most, so that a server in trouble is not kept
    there; and never just so long, so that all homes of a street do not ask at once.

    Args:
        every_s: How often it is asked when all is well, s.
        failures: How many times in a row it could not be asked.
        chance: From 0 to 1, drawn anew each time.
    """
    doubled = every_s * 2.0 ** min(max(failures, 0), _MOST_DOUBLINGS)
    return min(doubled, max(LONGEST_S, every_s)) * (1 + _JITTER * (2 * chance - 1))
