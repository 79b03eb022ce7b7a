"""How soon the loop acted: over the last measurements, from their own stamps."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.regulation.letters import Tick

_KEPT: Final = 6000
"""Ten minutes at ten a second."""
_SHARE: Final = 0.999
_LEAST: Final = 1000


@dataclass(slots=True)
class Timing:
    """The last measurements.

    Attributes:
        reactions: For each that led to a write, the time from the measurement before it, which
            was the last that could not see what led to it, to the confirmed write, s.
        jitters: How late each began, s.
    """

    reactions: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    jitters: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _before: Tick | None = None

    def take(self, ticks: Sequence[Tick]) -> None:
        """Take in further measurements, in order."""
        for tick in ticks:
            self.jitters.append(tick.began - tick.due)
            if tick.wrote is not None and self._before is not None:
                self.reactions.append(tick.wrote - self._before.began)
            self._before = tick

    @property
    def promise(self) -> float | None:
        """Time in s within which 99.9 % of the changes were answered; None after too few.

        Reckoned as if each came just after a measurement, which is the worst moment.
        """
        return quantile(self.reactions, _SHARE) if len(self.reactions) >= _LEAST else None


def quantile(values: Sequence[float] | deque[float], share: float) -> float:
    """Return the least value that at least a share of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
