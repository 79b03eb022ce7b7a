"""Every metric of the head-end: its name, what it counts, and by which labels."""

from typing import Final

from hems.metrics.metric import FAST_S, SLOW_S, counter, gauge, histogram

REQUESTS: Final = counter(
    "requests",
    "requests that were answered; status `gone` where the caller left before",
    *("door", "resource", "method", "status"),
)
REQUEST_S: Final = histogram(
    "request_seconds",
    "from the head of a request to its answer",
    FAST_S,
    *("door", "resource", "method"),
)
HANDSHAKES: Final = counter(
    "tls_handshakes", "TLS handshakes of homes: `good`, or why they failed", "outcome"
)
CONNECTIONS: Final = gauge("connections", "connections that are open", "door")
HOMES: Final = gauge("homes", "homes that are registered")
HEARD: Final = gauge("homes_heard", "homes heard of within the time, by any worker", "within")
HUBS: Final = gauge("hubs", "hubs of the fleet by how far they are", "state")
EVENTS: Final = gauge("events", "events that are remembered, by how they stand", "state")
RESPONSES: Final = counter("responses", "responses that homes posted, by their status", "code")
TRIED: Final = counter("notification_attempts", "attempts to deliver a notification")
NOTIFIED: Final = counter(
    "notifications",
    "notifications that are done with: `taken`, `gone` (not known there any more), `left` (given "
    "up; the home polls)",
    "outcome",
)
NOTIFY_S: Final = histogram(
    "notification_seconds", "from a notification's making to its being taken", SLOW_S
)
DATABASE: Final = counter(
    "database_transactions",
    "transactions: `read` or `write`; `good`, `busy` (locked, full or away) or `failed` (a request "
    "was refused in it, or an error)",
    *("kind", "outcome"),
)
DATABASE_S: Final = histogram(
    "database_seconds", "how long transactions take, waiting included", FAST_S, "kind"
)
BEHIND: Final = gauge("changes_behind", "changes of other workers that this one has not read yet")
LOOP_S: Final = histogram("loop_lag_seconds", "how late the event loop is", FAST_S)
SIGNALS: Final = gauge("signals", "signals that last", "rule", "severity")
FACTS: Final = counter("facts", "facts for the rules: `kept`, or `dropped` for being many", "fate")

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
