"""What time it is to whoever judges certificates in this process.

The machine's clock, unless who runs the process knows better: a hub whose machine has woken in 1970
goes by the last time that it knew. OpenSSL itself looks at nothing but the machine's clock, so
where the two are apart it is told to leave times to us (`certs.tls`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_APART_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Source:
    now: Callable[[], float] = time.time
    known: Callable[[], bool] = lambda: True


_present: Final = [_Source()]


def now() -> float:
    """Return UTC as epoch seconds."""
    return _present[-1].now()


def known() -> bool:
    """Return whether that is the time; else it is the least that the time can be."""
    return _present[-1].known()


def apart() -> bool:
    """Return whether it is another time than the machine's clock shows."""
    return abs(now() - time.time()) > _APART_S


def go_by(source: Callable[[], float], known: Callable[[], bool]) -> None:
    """Have certificates judged by another clock.

    Args:
        source: Returns its time, UTC epoch seconds.
        known: Returns whether it knows the time.
    """
    _present[:] = [_Source(source, known)]


def go_by_machine() -> None:
    """Have certificates judged by the machine's clock."""
    _present[:] = [_Source()]
