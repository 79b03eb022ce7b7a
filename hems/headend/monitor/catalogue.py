"""Every metric of the head-end: its name, what it counts, and by which labels.

No label takes values without bound: a home, an address or an event is never one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds of what should take milliseconds, s."""
SLOW_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Bounds of what should take seconds, s."""


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


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"hems_{name}", Kind.COUNTER, labels, text)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"hems_{name}", Kind.GAUGE, labels, text)


def _spread(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    return Metric(f"hems_{name}", Kind.HISTOGRAM, labels, text, bounds)


REQUESTS: Final = _counter(
    "requests",
    "requests that were answered; status `gone` where the caller left before",
    *("door", "resource", "method", "status"),
)
REQUEST_S: Final = _spread(
    "request_seconds",
    "from the head of a request to its answer",
    FAST_S,
    *("door", "resource", "method"),
)
HANDSHAKES: Final = _counter(
    "tls_handshakes", "TLS handshakes of homes: `good`, or why they failed", "outcome"
)
CONNECTIONS: Final = _gauge("connections", "connections that are open", "door")
HOMES: Final = _gauge("homes", "homes that are registered")
HEARD: Final = _gauge("homes_heard", "homes heard of within the time, by any worker", "within")
HUBS: Final = _gauge("hubs", "hubs of the fleet by how far they are", "state")
EVENTS: Final = _gauge("events", "events that are remembered, by how they stand", "state")
RESPONSES: Final = _counter("responses", "responses that homes posted, by their status", "code")
TRIED: Final = _counter("notification_attempts", "attempts to deliver a notification")
NOTIFIED: Final = _counter(
    "notifications",
    "notifications that are done with: `taken`, `gone` (not known there any more), `left` (given "
    "up; the home polls)",
    "outcome",
)
NOTIFY_S: Final = _spread(
    "notification_seconds", "from a notification's making to its being taken", SLOW_S
)
DATABASE: Final = _counter(
    "database_transactions",
    "transactions: `read` or `write`; `good`, `busy` (locked, full or away) or `failed` (a request "
    "was refused in it, or an error)",
    *("kind", "outcome"),
)
DATABASE_S: Final = _spread(
    "database_seconds", "how long transactions take, waiting included", FAST_S, "kind"
)
BEHIND: Final = _gauge("changes_behind", "changes of other workers that this one has not read yet")
LOOP_S: Final = _spread("loop_lag_seconds", "how late the event loop is", FAST_S)
SIGNALS: Final = _gauge("signals", "signals that last", "rule", "severity")
FACTS: Final = _counter("facts", "facts for the rules: `kept`, or `dropped` for being many", "fate")

CATALOGUE: Final = (
    REQUESTS,
    REQUEST_S,
    HANDSHAKES,
    CONNECTIONS,
    HOMES,
    HEARD,
    HUBS,
    EVENTS,
    RESPONSES,
    TRIED,
    NOTIFIED,
    NOTIFY_S,
    DATABASE,
    DATABASE_S,
    BEHIND,
    LOOP_S,
    SIGNALS,
    FACTS,
)
"""All of them; beside them stand those of the process (`process_*`)."""
