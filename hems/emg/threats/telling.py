"""What is told of a finding: to the owner as an alarm, to the utility as a log event. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import Final

from der.sentence import Sentence, say
from hems.emg.threats.rules.finding import Finding, Threat
from hems.security_event import EventKind, SecurityEvent
from hems.sep2.enddevice.logevents import SECURITY, VENDOR, Happening

HOLDS_S: Final = 3600.0
"""For so long an alarm is shown after it was found last."""
_LINK_DIGITS: Final = 12

ENDS: Final[Mapping[EventKind, frozenset[Threat]]] = {
    EventKind.RELIABLE_AGAIN: frozenset(
        {
            Threat.PACKAGE,
            Threat.AGENT,
            Threat.DEVICE,
            Threat.FIRMWARE,
            Threat.HOSTILE_DEVICE,
            Threat.SETPOINT_STORM,
        }
    ),
    EventKind.DEVICE_ADMITTED: frozenset({Threat.DEVICE, Threat.HOSTILE_DEVICE}),
    EventKind.FIRMWARE_CHANGED: frozenset({Threat.FIRMWARE}),
}
"""Which findings about a thing are over by an event about the same."""
_UNTIL_OVER: Final = frozenset({Threat.PACKAGE, Threat.AGENT, Threat.DEVICE, Threat.FIRMWARE})
_DAY_S: Final = 86_400.0
SAID_ELSEWHERE: Final = frozenset({Threat.DEVICE, Threat.STORE, Threat.PACKAGE, Threat.AGENT})
"""Findings that already have an alarm from where they were noticed."""


class Code(IntEnum):
    """This maker's log event codes in the function set of security, after those of devices."""

    GUESSING = 32
    SPREAD_GUESSING = 33
    SCAN = 34
    FLOOD = 35
    REPLAY = 36
    HANDSHAKES = 37
    STRANGERS = 38
    FALSE_SERVER = 39
    HOSTILE_SERVER = 40
    HOSTILE_DEVICE = 41
    DEVICE = 42
    QUARANTINES = 43
    SETPOINT_STORM = 44
    SETPOINT_TURNS = 45
    CLOCK = 46
    FIRMWARE = 47
    FIRMWARE_OFFERED = 48
    FEED = 49
    LISTENER = 50
    PACKAGE = 51
    AGENT = 52
    RECORDS = 53
    ODD_HOUR = 54
    STORE = 55
    MEDDLED = 56
    OVER = 63
    """One of these that lasted is over; which one, its details say."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with what was done about it.

    Attributes:
        finding: The finding.
        done: What the hub did, in one sentence; empty for nothing.
        link: Of the log's last row when it was told.
        row: Number of its own row; 0 for none.
    """

    finding: Finding
    done: str
    link: bytes
    row: int


def holds_s(threat: Threat) -> float:
    """Return for how long an alarm about a threat is shown, in s; infinite until it is over."""
    if threat in _UNTIL_OVER:
        return inf
    return _DAY_S if threat is Threat.RECORDS else HOLDS_S


def alarm(finding: Finding, done: str) -> Sentence:
    """Return what the owner is told."""
    if done:
        return say(
            "{found} {done} What you can do: {advice}",
            found=finding.text,
            done=done,
            advice=finding.advice,
        )
    return say("{found} What you can do: {advice}", found=finding.text, advice=finding.advice)


def over(finding: Finding, event: SecurityEvent) -> bool:
    """Return whether what was found is over by an event."""
    return finding.about == event.about and finding.threat in ENDS.get(event.kind, frozenset())


def log_event(told: Told, pen: int = 0) -> Happening:
    """Return what the utility is told: no address and no name of anybody, but the log's link.

    Args:
        told: What was found.
        pen: Private enterprise number of the maker.
    """
    finding = told.finding
    return _happening(finding.at, Code[finding.threat.name], finding.threat, told.link, pen)


def end_event(finding: Finding, at: float, link: bytes, pen: int = 0) -> Happening:
    """Return that what was found is over; `at` in UTC epoch seconds."""
    return _happening(at, Code.OVER, finding.threat, link, pen)


def _happening(at: float, code: Code, threat: Threat, link: bytes, pen: int) -> Happening:
    details = f"{threat.value} {link.hex()[:_LINK_DIGITS]}"
    return Happening(at, SECURITY, code, details, VENDOR, pen)
