"""Chargers that call in and that no device stands for, each as an event once a while."""

from collections.abc import Iterable

from der.sentence import say
from hems.device_surface import CallerView
from hems.security_event import EventKind, SecurityEvent


class Strangers:
    """Remembers who has been told of already: as many as the home lists."""

    def __init__(self) -> None:
        self._known: frozenset[tuple[str, str]] = frozenset()

    def look(self, callers: Iterable[CallerView]) -> list[SecurityEvent]:
        """Return who is new among those that have called in of late."""
        now = {(each.identity, each.remote): each for each in callers}
        new = [each for key, each in now.items() if key not in self._known]
        self._known = frozenset(now)
        return [_event(each) for each in new]


def _event(caller: CallerView) -> SecurityEvent:
    text = say(
        "A charger that no device stands for called in: {identity}.", identity=caller.identity
    )
    return SecurityEvent(EventKind.DEVICE_STRANGER, text, caller.identity, caller.remote)
