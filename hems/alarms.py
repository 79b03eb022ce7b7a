"""What the owner should know now: lasting troubles by their source, passing ones for a while."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from hems.alarm_history import AlarmHistory
from hems.clock import Clock

_log = logging.getLogger(__name__)

PASSING_S: Final = 900.0
"""How long a message that nobody takes back is shown."""
MOST: Final = 20
PASSING: Final = "passing"


class Alarms:
    """The present alarms, newest first.

    Args:
        clock: Where the time comes from.
        on_change: Told when they have changed; must not block.
        history: Where they are noted; None for nowhere.
    """

    def __init__(
        self,
        clock: Clock,
        on_change: Callable[[], None],
        history: AlarmHistory | None = None,
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._history = history
        self._lasting: dict[str, str] = {}
        self._passing: dict[str, float] = {}

    def lasting(self, source: str, message: str | None) -> None:
        """Set what is wrong with a source; None when it is well again."""
        before = self._lasting.get(source)
        if message == before:
            return
        if message is None:
            del self._lasting[source]
            _log.info("over: %s", before)
            if self._history is not None:
                self._history.ended(source)
        else:
            self._lasting[source] = message
            _log.warning("%s", message)
            if self._history is not None:
                self._history.began(source, message)
        self._on_change()

    def passing(self, message: str) -> None:
        """Show a message for a while; the same one again is shown, and logged, once."""
        now = self._clock.now()
        shown_at = self._passing.pop(message, None)
        if shown_at is None or now - shown_at > PASSING_S:
            _log.warning("%s", message)
            if self._history is not None:
                self._history.happened(message)
        self._passing[message] = now
        while len(self._passing) > MOST:
            del self._passing[next(iter(self._passing))]
        self._on_change()

    @property
    def messages(self) -> tuple[str, ...]:
        """All that is to be shown now."""
        return (*self._lasting.values(), *reversed(self._recent))

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many there are of each kind: what of the home they are about, or "passing"."""
        lasting = Counter(source.partition(" ")[0] for source in self._lasting)
        return {**lasting, PASSING: len(self._recent)}

    @property
    def _recent(self) -> list[str]:
        oldest = self._clock.now() - PASSING_S
        return [message for message, at in self._passing.items() if at >= oldest]
