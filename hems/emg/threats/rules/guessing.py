"""Rules about passwords that are tried. Pure."""

from collections.abc import Iterable

from der.sentence import Template, say
from hems.emg.threats.rules.counting import By, Counting, How, Words
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.rules.shapes import HOUR_S, MINUTE_S, source
from hems.emg.threats.rules.thresholds import Thresholds
from hems.security_event import EventKind as Kind


def guessing(of: Thresholds) -> Iterable[Counting]:
    """Return the rules about passwords that are tried."""
    failed = frozenset({Kind.LOGIN_FAILED, Kind.LOGIN_BLOCKED, Kind.DEVICE_REFUSED})
    yield Counting(
        Threat.GUESSING,
        failed,
        By.SOURCE,
        of.guesses,
        10 * MINUTE_S,
        Words(
            say("If that is none of you, find out which machine that is and disconnect it."),
            Template("Somebody at {who} tries passwords: {count} were wrong within 10 minutes."),
        ),
    )
    yield Counting(
        Threat.SPREAD_GUESSING,
        failed,
        By.ALL,
        of.guessers,
        HOUR_S,
        Words(
            say("Change the owner's password, and let nobody reach this page from outside."),
            Template("Passwords are tried from {count} places at once."),
        ),
        How.DISTINCT,
        source,
    )
