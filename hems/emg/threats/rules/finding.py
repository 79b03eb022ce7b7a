"""What the rules look at, and what they find."""

from dataclasses import dataclass
from enum import StrEnum

from hems.emg.threats.severity import Severity
from hems.security_event import SecurityEvent


class Threat(StrEnum):
    """What several events come to."""

    GUESSING = "guessing"
    """Passwords are tried from one place."""
    SPREAD_GUESSING = "spread-guessing"
    """Passwords are tried from many places."""
    SCAN = "scan"
    """Somebody looks for a way in."""
    FLOOD = "flood"
    """So much is asked that it can only be meant to be too much."""
    REPLAY = "replay"
    """What was said once is said again and again."""
    HANDSHAKES = "handshakes"
    """Many call in whose certificates are no good."""
    STRANGERS = "strangers"
    """Many who are no devices of the home want to be one."""
    FALSE_SERVER = "false-server"
    """A utility's server is not the one it should be."""
    HOSTILE_SERVER = "hostile-server"
    """A server keeps the hub busy, or sends it elsewhere."""
    HOSTILE_DEVICE = "hostile-device"
    """A device says what cannot be, or floods."""
    DEVICE = "device"
    """A device is not the one that was trusted."""
    MEDDLED = "meddled"
    """Somebody else writes what the hub alone is to write of a device."""
    QUARANTINES = "quarantines"
    """Several devices at once are not as they were."""
    SETPOINT_STORM = "setpoint-storm"
    """A device is told something new all the time."""
    SETPOINT_TURNS = "setpoint-turns"
    """A device is sent to and fro."""
    CLOCK = "clock"
    """A clock is set again and again."""
    FIRMWARE = "firmware"
    """A device runs what it should not."""
    FIRMWARE_OFFERED = "firmware-offered"
    """Firmware that is not to be believed is offered again and again."""
    FEED = "feed"
    """What pretends to be the enterprise's word is not."""
    LISTENER = "listener"
    """Something listens or connects that nobody expects."""
    PACKAGE = "package"
    """The hub's own software, or how it started, is not as it was."""
    AGENT = "agent"
    """Nobody watches over the hub's software."""
    RECORDS = "records"
    """The log of what bears on security is not as it was written."""
    STORE = "store"
    """The store, or a backup, is not as it was written."""
    ODD_HOUR = "odd-hour"
    """Somebody changes the home when nobody of the house does."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as it came in.

    Attributes:
        event: The event.
        at: UTC epoch seconds.
        now: Monotonic clock, s.
        row: Number of its row in the log; 0 for none.
    """

    event: SecurityEvent
    at: float
    now: float
    row: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        threat: What it is.
        severity: How grave.
        text: In one sentence.
        advice: What the owner should do, in one sentence.
        about: What it concerns; empty for the hub as a whole.
        source: Where it comes from; empty for nowhere in particular.
        evidence: Numbers of the rows that show it.
        at: UTC epoch seconds.
    """

    threat: Threat
    severity: Severity
    text: str
    advice: str
    about: str
    source: str
    evidence: tuple[int, ...]
    at: float

    @property
    def key(self) -> str:
        """The same for the same thing found again."""
        return f"threat {self.threat.value} {self.about} {self.source}".rstrip()
