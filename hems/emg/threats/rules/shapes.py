"""What the rules of several kinds share: spans, what is told apart, and the rule of one event."""

from collections.abc import Iterable
from typing import Final

from der.sentence import Sentence
from hems.emg.threats.rules.counting import By, Counting, Words
from hems.emg.threats.rules.finding import Seen, Threat
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0


def about(seen: Seen) -> str:
    """Return what an event concerns."""
    return seen.event.about


def source(seen: Seen) -> str | None:
    """Return where an event comes from; None for nowhere."""
    return seen.event.source or None


def grave(
    threat: Threat,
    kinds: Iterable[EventKind],
    advice: Sentence,
    severity: Severity = Severity.ALARM,
) -> Counting:
    """Return a rule for what is found the first time."""
    return Counting(threat, frozenset(kinds), By.ABOUT, 1, DAY_S, Words(advice), severity=severity)
