"""When a responder is asked again: pure rules."""

from typing import Final

_LEAST_S: Final = 60.0
_MOST_S: Final = 86_400.0
_FIRST_S: Final = 60.0
_LONGEST_S: Final = 3600.0
_MOST_DOUBLINGS: Final = 10


def after_answer_s(until: float, now: float, chance: float) -> float:
    """Return after how many seconds an answer is renewed: about half of its time, once a day.

    Args:
        until: Until when it holds, UTC epoch seconds.
        now: The same of now.
        chance: From 0 to 1; spreads the homes of a responder.
    """
    half = (until - now) / 2
    return min(max(half * (0.75 + chance / 2), _LEAST_S), _MOST_S)


def after_failure_s(failures: int, chance: float) -> float:
    """Return after how many seconds a responder is tried again: ever longer, an hour at most.

    Args:
        failures: So many in a row, from 1.
        chance: From 0 to 1.
    """
    doubled = _FIRST_S * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    return min(doubled, _LONGEST_S) * (0.75 + chance / 2)
