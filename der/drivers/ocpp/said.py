"""Says each trouble of a charger once while it lasts, not once a second."""

import logging
from collections.abc import Callable
from typing import Final

from der.often import Often

_KEPT: Final = 32
"""Troubles of an hour; a charger that finds ever new ones is not listened to any more."""
_AGAIN_S: Final = 3600.0
_LONGEST: Final = 300

log = logging.getLogger(__name__)


class Said:
    """What has been said of one charger.

    Args:
        name: The device's, with which each line begins.
        now: Seconds of any clock.
    """

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.name = name
        self._now = now
        self._at: dict[str, float] = {}
        self._often: dict[str, Often] = {}

    def warn(self, what: str, why: str) -> None:
        """Log a trouble, unless the same was said of the same thing within the hour."""
        self._say(logging.WARNING, what, why)

    def often(self, what: str, why: str) -> None:
        """Log a trouble that comes with ever new reasons: two of them an hour, then a count.

        Args:
            what: One of a few.
            why: One clause.
        """
        words = self._often.setdefault(what, Often(self._now)).say(why)
        if words is not None:
            log.warning("%s: %s", self.name, plain(f"{what}: {words}", _LONGEST))

    def note(self, what: str, why: str) -> None:
        """The same for what is no trouble of the home's."""
        self._say(logging.INFO, what, why)

    def over(self, what: str) -> None:
        """Note that all is well with something: trouble with it is news again."""
        for key in [key for key in self._at if key.partition(": ")[0] == what]:
            del self._at[key]

    def _say(self, level: int, what: str, why: str) -> None:
        key, now = f"{what}: {why}", self._now()
        self._at = {k: at for k, at in self._at.items() if 0.0 <= now - at < _AGAIN_S}
        if key in self._at or len(self._at) > _KEPT:
            return
        self._at[key] = now
        if len(self._at) > _KEPT:
            log.log(level, "%s: further troubles are not said for an hour", self.name)
        else:
            log.log(level, "%s: %s", self.name, plain(key, _LONGEST))


def plain(text: object, longest: int = 50) -> str:
    """Return what a charger calls something as one short line that any log and page can show."""
    kept = "".join(char if char.isprintable() else " " for char in str(text)[: 4 * longest])
    return " ".join(kept.split())[:longest]
