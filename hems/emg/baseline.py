"""The net power before a relative event: what "less than before" is measured against.

Only a time counts in which the event had no effect yet. A power from later is already lowered, and
an event measured against it would take its own saving away once more.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from hems.image import Image
from programs.signal import Signal

LOOK_BACK_S: Final = 60.0
"""A meter reading older than this says nothing about the power when an event began."""
_WHOLE_S: Final = 1.0
"""Events start at whole seconds. One of the very second of the first reading was obeyed by no run
before: no hub is started again within a second."""


@dataclass(frozen=True, slots=True)
class _Baseline:
    """What was found when an event was first met; `net_w` is None where nothing counted."""

    net_w: float | None
    ends_at: float


class Baselines:
    """The baselines of events in force, found once each, and the readings to find them in."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._powers: deque[tuple[float, float]] = deque()
        self._found: dict[str, _Baseline] = {}

    def take(self, image: Image) -> None:
        """Keep the net power of an image if its meter was well."""
        if self._since is None:
            self._since = image.at
        if image.net_w is not None:
            self._powers.append((image.at, image.net_w))
        while self._powers and self._powers[0][0] < image.at - LOOK_BACK_S:
            self._powers.popleft()

    def of(self, signal: Signal) -> tuple[float | None, bool]:
        """Return an event's baseline in W, and whether it was found only now.

        It is looked for when the event is first met, and never again: None then stays None, for
        by the next reading the event has acted.
        """
        known = self._found.get(signal.event)
        if known is not None:
            return known.net_w, False
        net_w = self._before(signal.starts_at)
        self._found[signal.event] = _Baseline(net_w, signal.ends_at)
        return net_w, net_w is not None

    def forget(self, live: set[str], now: float) -> None:
        """Forget events that are over; one that gave way to another may come back."""
        for event, found in list(self._found.items()):
            if event not in live and found.ends_at <= now:
                del self._found[event]

    def shift(self, by_s: float) -> None:
        """Move all times, after UTC was set."""
        self._since = None if self._since is None else self._since + by_s
        self._powers = deque((at + by_s, net_w) for at, net_w in self._powers)
        self._found = {e: replace(f, ends_at=f.ends_at + by_s) for e, f in self._found.items()}

    def _before(self, starts_at: float) -> float | None:
        """Return the last power of the minute before an event.

        An event that is told of late has not acted before it was told of, so the present power is
        of before it too; unless it began before this run did, and the last run obeyed it.
        """
        before = [w for at, w in self._powers if starts_at - LOOK_BACK_S <= at <= starts_at]
        if before:
            return before[-1]
        if self._since is None or starts_at + _WHOLE_S <= self._since:
            return None
        after = [w for at, w in self._powers if at > starts_at]
        return after[-1] if after else None
