"""Whether the home keeps to the limits that it was told, and what was the matter where it did not.

Pure: it is told what the meter would say, however the hub sees it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.endure.plan import Order

SETTLED_S: Final = 15.0
"""After a limit has begun; within it the home has to keep to it."""
TOLERANCE_W: Final = 50.0
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

    Attributes:
        kept_s: How long they were kept, of the time in which they held.
        broken_s: How long not.
        breaches: When, and what was the matter.
    """

    def __init__(self) -> None:
        self._held: list[tuple[Order, float]] = []
        self.kept_s = 0.0
        self.broken_s = 0.0
        self.breaches: list[Breach] = []

    def hold(self, order: Order, limit_w: float) -> None:
        """Watch one more."""
        self._held.append((order, limit_w))

    def see(self, now: float, net_w: float, lasts_s: float, then: Callable[[], str]) -> None:
        """Judge a step of time.

        Args:
            now: At its end, UTC epoch seconds.
            net_w: What was imported.
            lasts_s: How long it was.
            then: Returns what the home was like; asked only where a limit did not hold.
        """
        self._held = [each for each in self._held if now < each[0].holds_until]
        holding = [each for each in self._held if each[0].starts_at + SETTLED_S <= now]
        if not holding:
            return
        order, limit_w = min(holding, key=lambda each: each[1])
        if net_w <= limit_w + TOLERANCE_W:
            self.kept_s += lasts_s
            return
        self.broken_s += lasts_s
        begins_at = now - lasts_s
        last = self.breaches[-1] if self.breaches else None
        if last is None or last.name != order.name or begins_at > last.ends_at + _TOGETHER_S:
            last = Breach(order.name, limit_w, begins_at, now, net_w, then())
            self.breaches.append(last)
        if net_w > last.most_w:
            last.most_w, last.then = net_w, then()
        last.ends_at = now


def share(parts: Sequence[tuple[float, float]]) -> float:
    """Return the share of time in which limits did not hold.

    Args:
        parts: How long they were kept and how long not, s, of each process of a run.
    """
    kept, broken = (sum(each) for each in zip(*parts, strict=True))
    return broken / (kept + broken) if broken else 0.0
