"""What happens to a hub in a week in which nobody means any harm."""

import random
from collections.abc import Iterator

from hems.emg.threats.rules import setpoints
from hems.security_event import EventKind, SecurityEvent

HOUR = 3600.0
DAY = 86_400.0
Happened = tuple[float, SecurityEvent]
PATHS = ("home", "plan", "needs", "money", "devices", "alarms")


def ordinary(rng: random.Random) -> Iterator[tuple[int, Happened]]:
    """Yield it, numbered: seconds since the first midnight, and the event."""
    events = [
        event("certificate", 3 * DAY, "utility"),
        event("firmware-changed", 4 * DAY, "ev"),
        event("device-admitted", 4 * DAY, "ev"),
        event("clock-stepped", 2 * DAY + 60),
    ]
    for day in range(7):
        for hour in (7, 19):
            events += visit(rng, day * DAY + (hour + rng.random()) * HOUR)
        events += evening(rng, day, day * DAY + 19 * HOUR)
        events += noon(rng, day * DAY + 12 * HOUR)
    yield from enumerate(sorted(events, key=lambda each: each[0]))


def event(kind: str, at: float, about: str = "", source: str = "") -> Happened:
    return at, SecurityEvent(EventKind(kind), f"{kind} {about}", about, source)


def visit(rng: random.Random, at: float) -> Iterator[Happened]:
    """Somebody logs in, mistypes now and then, and leaves the page open past its login's end."""
    phone = rng.choice(["192.168.1.20", "192.168.1.21"])
    for slip in range(rng.choice([0, 0, 0, 1, 2, 3])):
        yield event("login-failed", at - 30 + slip * 5, "ada", phone)
    yield event("logged-in", at, "ada", phone)
    for path in PATHS:
        yield event("request-refused", at + HOUR, f"GET /api/{path}", phone)
    for retry in range(20):
        yield event("request-refused", at + HOUR + 3 * retry, "GET /api/stream", phone)


def evening(rng: random.Random, day: int, at: float) -> Iterator[Happened]:
    if rng.random() < 0.4:
        yield event("config-changed", at + 600, "hems.toml")
    if rng.random() < 0.2:
        yield event("account-changed", at + 900, "guest", "192.168.1.20")
    yield event("event-refused", at, f"m{day}", "utility")
    yield event("notification-refused", at + 5, "utility", "198.51.100.4")
    yield event("device-stranger", at, "neighbour's charger", "192.168.1.77")
    for hello in range(4):
        yield event("peer-refused", at + hello, "notifications")


def noon(rng: random.Random, at: float) -> Iterator[Happened]:
    """A battery follows the house for half an hour, and a car follows the sun."""
    power_w = 0.0
    for second in range(1800):
        power_w = 0.95 * (power_w + rng.uniform(-400, 400))
        yield at + second, setpoints.told("battery", power_w, "self-consumption")
        yield at + second, setpoints.told("ev", abs(power_w))
