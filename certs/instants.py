"""What time it is to whoever judges certificates in this process.

The machine's clock, unless who runs the process knows better: a hub whose machine has woken in 1970
goes by the last time that it knew. OpenSSL itself looks at nothing but the machine's clock, so
where the two are apart it is told to leave times to us (`certs.tls`).
"""

import time
from collections.abc import Callable
from typing import Final

_APART_S: Final = 1.0

_source: list[Callable[[], float]] = [time.time]


def now() -> float:
    """Return UTC as epoch seconds."""
    return _source[-1]()


def apart() -> bool:
    """Return whether it is another time than the machine's clock shows."""
    return abs(now() - time.time()) > _APART_S


def go_by(source: Callable[[], float] | None) -> None:
    """Have certificates judged by another clock; None for the machine's."""
    _source[:] = [time.time if source is None else source]
