"""What a metric is: its name, how it counts, and by which labels.

No label takes values without bound: a home, an address or an event is never one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds of what should take milliseconds, s."""
SLOW_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Bounds of what should take seconds, s."""

Labels = tuple[str | int, ...]
"""Values of a metric's labels, in their order."""


class Kind(StrEnum):
    """How a metric counts."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes:
        name: With its unit; counters end with `_total` when they are told.
        kind: How it counts.
        labels: By what.
        text: What it is.
        bounds: Of a histogram.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    text: str
    bounds: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """Its name as a scraper sees it."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


def counter(name: str, text: str, *labels: str) -> Metric:
    """Return what only grows while the program runs."""
    return Metric(f"hems_{name}", Kind.COUNTER, labels, text)


def gauge(name: str, text: str, *labels: str) -> Metric:
    """Return what is as it is now."""
    return Metric(f"hems_{name}", Kind.GAUGE, labels, text)


def histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    """Return how values are spread over ranges that end at `bounds`."""
    return Metric(f"hems_{name}", Kind.HISTOGRAM, labels, text, bounds)
