"""How long a charger that says what is no OCPP, or far too much, counts as one with a fault."""

from collections.abc import Callable
from typing import Final

from der.patience import Patience
from der.sentence import say

MOST_FRAMES: Final = 3000
MOST_USELESS: Final = 100
"""In a minute; a charger with a fault repeats itself each second."""
MOST_BROKEN: Final = 10
"""In ten minutes: each one ends the connection."""
_MINUTE_S: Final = 60.0


class Forbearance:
    """Of one charger.

    Args:
        now: Seconds of any clock.
        hostile: Told in one clause when it has gone too far, and again each time that it does.
    """

    def __init__(self, now: Callable[[], float], hostile: Callable[[str], None]) -> None:
        self._hostile = hostile
        self._frames = Patience(MOST_FRAMES, _MINUTE_S, now)
        self._useless = Patience(MOST_USELESS, _MINUTE_S, now)
        self._broken = Patience(MOST_BROKEN, 10 * _MINUTE_S, now)

    def frame(self, *, usable: bool) -> None:
        """Count a frame."""
        if self._frames.ends():
            self._hostile(say("it sends more than a charger ever has to say"))
        if not usable and self._useless.ends():
            self._hostile(say("it goes on sending what is no OCPP"))

    def broke(self) -> None:
        """Count what ended a connection: a frame too long to be read, or none of a WebSocket."""
        if self._broken.ends():
            self._hostile(say("it goes on sending messages that are too long, or broken"))
