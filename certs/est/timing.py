"""When a certificate is renewed, and when to try again: pure rules, times in UTC epoch seconds."""

from typing import Final

_SHARE: Final = 2 / 3
"""Of its life a certificate is used before it is renewed."""
_JITTER: Final = 1 / 12
"""Of its life, by which homes that enrolled together are spread."""
_FOR_EVER_S: Final = 200 * 365.25 * 86400.0
"""Whoever lives so long is not renewed: a device certificate of IEEE 2030.5 ends in 9999."""
_FIRST_S: Final = 60.0
_LONGEST_S: Final = 86400.0
_SHORTEST_S: Final = 10.0
_LAST_TRIES: Final = 8
"""A rest of life is divided by so many tries at least."""


def renew_at(not_before: float, not_after: float, chance: float) -> float | None:
    """Return from when on a certificate is renewed; None for never.

    Args:
        not_before: When it began to hold.
        not_after: When it ends.
        chance: 0 to 1, drawn once for the certificate.

    Raises:
        ValueError: `chance` is not from 0 to 1.
    """
    if not 0.0 <= chance <= 1.0:
        raise ValueError(f"a chance of {chance} is not from 0 to 1")
    life_s = not_after - not_before
    if life_s >= _FOR_EVER_S:
        return None
    return not_before + life_s * (_SHARE + chance * _JITTER)


def wait_s(failures: int, chance: float, left_s: float, asked_s: float = 0.0) -> float:
    """Return how long to wait before trying again.

    Args:
        failures: How many tries have failed, at least 1.
        chance: 0 to 1, drawn for each wait.
        left_s: Until the certificate ends; not above 0 once it has.
        asked_s: What the server asked to wait for.

    Returns:
        Twice as long after each failure, up to a day; shorter as the end comes near, so that
        there are tries left; never shorter than the server asked for, up to a day.
    """
    longest_s = _LONGEST_S if left_s <= 0.0 else min(_LONGEST_S, left_s / _LAST_TRIES)
    doubled_s = _FIRST_S * 2.0 ** min(failures - 1, 20)
    waited_s = min(doubled_s, longest_s) * (0.5 + chance / 2.0)
    return min(max(waited_s, asked_s, _SHORTEST_S), _LONGEST_S)
