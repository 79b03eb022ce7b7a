"""What is said in the log of one device's troubles: not without end where they come and go."""

import logging
import math
import re
from collections import deque
from typing import Final

from hems.clock import Clock

_log = logging.getLogger(__name__)

OFTEN: Final = 10
"""The same trouble is said so often within `WHILE_S`, then no more until some of it is past."""
WHILE_S: Final = 600.0
_KINDS: Final = 16
"""So many kinds of trouble are told apart."""
_FIGURE: Final = re.compile(r"\d+(\.\d+)?")


class Sayings:
    """Says the troubles of one device; those that differ in figures alone are the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[str, deque[float]] = {}
        self._ill = False

    def trouble(self, text: str) -> None:
        """Say what is wrong, unless that was said too often of late."""
        kind, now = _FIGURE.sub("#", text), self._clock.monotonic()
        if kind not in self._said and len(self._said) >= _KINDS:
            self._said.pop(next(iter(self._said)))
        times = self._said.setdefault(kind, deque(maxlen=OFTEN))
        first = times[0] if len(times) == OFTEN else -math.inf
        if now - first < WHILE_S:
            _log.debug("%s", text)
            return
        times.append(now)
        self._ill = True
        last = len(times) == OFTEN and now - times[0] < WHILE_S
        _log.warning("%s%s", text, "; it comes and goes, and is not said again soon" * last)

    def well(self, text: str) -> None:
        """Say that it is over, if it was said that it began."""
        if self._ill:
            _log.info("%s", text)
        self._ill = False
