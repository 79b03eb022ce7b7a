"""Whether the home keeps to the limits that it was told, and what was the matter where it did not.

Pure: it is told what the meter would say, however the hub sees it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.endure.plan import Order

SETTLED_S: Final = 15.0
"""After a limit has begun; within it the home has to keep to it."""
TOLERANCE_W: Final = 50.0
_TURN_S: Final = 0.01
"""What turns of the loop may cost meanwhile."""
_TOGETHER_S: Final = 60.0
"""Two times at which one limit does not hold are told as one where no more lies between them."""


@dataclass(slots=True)
class Breach:
    """A time in which a limit did not hold.

    Attributes:
        name: Of the event.
        limit_w: What it allows to be imported.
        begins_at: UTC epoch seconds.
        ends_at: The same.
        most_w: The most that was imported.
        then: What the home was like at that moment.
    """

    name: str
    limit_w: float
    begins_at: float
    ends_at: float
    most_w: float
    then: str

    def told(self, begun_at: float) -> str:
        """Return it as a line of a report, with times since something began."""
        since, lasts_s = self.begins_at - begun_at, self.ends_at - self.begins_at
        return (
            f"{self.name}: {self.limit_w:g} W not kept for {lasts_s:g} s from {since:.0f} s on,"
            f" at most {self.most_w:.0f} W, then {self.then}"
        )


class Limits:
    """Watches the limits of import while they hold.

    An appliance that starts cannot be foreseen; it is answered within a cycle or two
    (docs/operate.md). What is exceeded for no longer is answered in time.

    Args:
        answer_s: The time for that.

    Attributes:
        kept_s: How long they were kept, of the time in which they held.
        answered_s: How long they were exceeded for no longer than may be.
        broken_s: How long for longer.
        helpless_s: How long they were exceeded while nobody could have kept to them.
        breaches: When they were exceeded at all, and what was the matter.
    """

    def __init__(self, answer_s: float) -> None:
        self._answer_s = answer_s
        self._held: list[tuple[Order, float]] = []
        self._over_s = 0.0
        self.kept_s = 0.0
        self.answered_s = 0.0
        self.broken_s = 0.0
        self.helpless_s = 0.0
        self.breaches: list[Breach] = []

    def hold(self, order: Order, limit_w: float) -> None:
        """Watch one more."""
        self._held.append((order, limit_w))

    def see(
        self,
        now: float,
        net_w: float,
        lasts_s: float,
        then: Callable[[], str],
        *,
        least_w: float = -math.inf,
    ) -> None:
        """Judge a step of time.

        Args:
            now: At its end, UTC epoch seconds.
            net_w: What was imported.
            lasts_s: How long it was.
            then: Returns what the home was like; asked only where a limit did not hold.
            least_w: The least that anybody could have had the home import.
        """
        self._held = [each for each in self._held if now < each[0].holds_until]
        holding = [each for each in self._held if each[0].starts_at + SETTLED_S <= now]
        if not holding:
            self._over_s = 0.0
            return
        order, limit_w = min(holding, key=lambda each: each[1])
        if net_w <= limit_w + TOLERANCE_W:
            self.kept_s += lasts_s
            self._over_s = 0.0
            return
        self._over_s += lasts_s
        if self._over_s <= self._answer_s + _TURN_S:
            self.answered_s += lasts_s
        elif least_w > limit_w + TOLERANCE_W:
            self.helpless_s += lasts_s
        else:
            self.broken_s += lasts_s
        self._note(Breach(order.name, limit_w, now - lasts_s, now, net_w, then()))

    def _note(self, seen: Breach) -> None:
        """Put a step of time to the breach that it belongs to."""
        last = self.breaches[-1] if self.breaches else None
        if last is None or last.name != seen.name or seen.begins_at > last.ends_at + _TOGETHER_S:
            self.breaches.append(seen)
            return
        last.ends_at = seen.ends_at
        if seen.most_w > last.most_w:
            last.most_w, last.then = seen.most_w, seen.then


def share(part_s: float, *others_s: float) -> float:
    """Return a part's share of a whole; 0 of nothing.

    Args:
        part_s: It.
        others_s: The other parts.
    """
    whole_s = part_s + sum(others_s)
    return part_s / whole_s if whole_s else 0.0
