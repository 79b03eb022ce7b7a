"""What happened that bears on security, as any part of the hub says it: plain records, no rules.

Whoever refuses, notices or changes something says so through a `Note`; what it amounts to is
judged at one place (`hems.emg.threats`), and written down there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """Of what kind."""

    LOGIN_FAILED = "login-failed"
    """A password, code or passkey was wrong."""
    LOGIN_BLOCKED = "login-blocked"
    """So many were wrong that no more are tried for a while."""
    LOGGED_IN = "logged-in"
    ACCOUNT_CHANGED = "account-changed"
    """An account, its role, its ways of proof, a token, or a grant to somebody."""
    REQUEST_REFUSED = "request-refused"
    """A request without the right to it, from another site, under another name."""
    REQUEST_MALFORMED = "request-malformed"
    """A request that no page or program of ours makes."""
    PEER_REFUSED = "peer-refused"
    """Somebody called in whose TLS or certificate is not good enough."""
    SERVER_REFUSED = "server-refused"
    """A server that the hub called is not the one it should be, or its certificate is not good."""
    SERVER_HOSTILE = "server-hostile"
    """A server's answers would keep the hub busy for good, or send it elsewhere."""
    NOTIFICATION_REFUSED = "notification-refused"
    REPLAY = "replay"
    """Something was said once more that counts once."""
    EVENT_REFUSED = "event-refused"
    """A grid event that cannot be carried out or contradicts itself."""
    CERTIFICATE = "certificate"
    """One of the hub's own ends, was renewed, was revoked."""
    KEY_CHANGED = "key-changed"
    """A private key was made, moved, erased, or cannot be used."""
    DEVICE_STRANGER = "device-stranger"
    """Somebody who is no device of the home wants to be one."""
    DEVICE_REFUSED = "device-refused"
    """Somebody called in under a device's name and could not prove it."""
    DEVICE_CHANGED = "device-changed"
    """A device shows another key, maker, model or number than the one that was trusted."""
    DEVICE_NEW = "device-new"
    """A device was added that nobody has approved yet."""
    DEVICE_QUARANTINED = "device-quarantined"
    """A device is shut because something about it is not as it should be."""
    DEVICE_ADMITTED = "device-admitted"
    DEVICE_BLOCKED = "device-blocked"
    DEVICE_HOSTILE = "device-hostile"
    """A device floods, or goes on saying what its protocol does not know."""
    DEVICE_MEDDLED = "device-meddled"
    """Somebody else writes where the hub alone keeps what it must know of a device."""
    ACCESS_REFUSED = "access-refused"
    """A broker that the hub needs does not let it in, or not hear what it must."""
    SETPOINT = "setpoint"
    """A device was told something new; noted to find storms, not written down each time."""
    FIRMWARE_CHANGED = "firmware-changed"
    FIRMWARE_UNTRUSTED = "firmware-untrusted"
    """A device runs what is on no list, or on the list of what must not run."""
    FIRMWARE_REFUSED = "firmware-refused"
    """Offered firmware or a list of it was refused: unsigned, older, damaged."""
    PACKAGE_TAMPERED = "package-tampered"
    """The installed software is not what its signed manifest says."""
    BOOT_CHANGED = "boot-changed"
    """The machine has started another way than was measured before."""
    AGENT_SILENT = "agent-silent"
    """The software agent has stopped, or does not answer."""
    RELIABLE_AGAIN = "reliable-again"
    """What had been tampered with is as it should be."""
    CONFIG_CHANGED = "config-changed"
    STORE_DAMAGED = "store-damaged"
    """The store, or a backup, is not as it was written."""
    LOG_BROKEN = "log-broken"
    """The log of security events is not as it was written."""
    CLOCK_STEPPED = "clock-stepped"
    FEED = "feed"
    """The enterprise's word about threats, devices and firmware was taken up."""
    FEED_REFUSED = "feed-refused"
    CONNECTION = "connection"
    """Somebody connected, or something listens, that nobody expects."""
    THREAT = "threat"
    """What several of these come to: a scan, guessing, a storm; made by the rules only."""


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Something that happened.

    Attributes:
        kind: Of what kind.
        text: In one sentence, for the owner (`der.sentence.say`).
        about: What it concerns: a device's id, an account, "package", a utility's name; empty for
            the hub as a whole.
        source: From where it came: an address, an LFDI, an identity as it called itself; empty
            where it came from nowhere.
    """

    kind: EventKind
    text: str
    about: str = ""
    source: str = ""


Note = Callable[[SecurityEvent], None]
"""Takes note; never blocks, never raises, may be called from the event loop only."""


def unheard(event: SecurityEvent) -> None:
    """Take no note: for parts that stand alone."""
    del event
