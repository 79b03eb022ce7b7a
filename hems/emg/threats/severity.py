"""How grave an event is by itself, before it is known what several come to. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hems.security_event import EventKind


class Severity(StrEnum):
    """How grave; in this order."""

    INFO = "info"
    """As it should be."""
    NOTICE = "notice"
    """Happens to everybody now and then."""
    WARNING = "warning"
    """Somebody tried what they may not, and got nowhere."""
    ALARM = "alarm"
    """The owner should look today."""


ORDER: Final = tuple(Severity)
"""From the least grave on."""

_SEVERITY: Final[Mapping[EventKind, Severity]] = {
    EventKind.LOGGED_IN: Severity.INFO,
    EventKind.SETPOINT: Severity.INFO,
    EventKind.FEED: Severity.INFO,
    EventKind.RELIABLE_AGAIN: Severity.INFO,
    EventKind.DEVICE_ADMITTED: Severity.INFO,
    EventKind.DEVICE_NEW: Severity.NOTICE,
    EventKind.LOGIN_FAILED: Severity.NOTICE,
    EventKind.ACCOUNT_CHANGED: Severity.NOTICE,
    EventKind.CONFIG_CHANGED: Severity.NOTICE,
    EventKind.CERTIFICATE: Severity.NOTICE,
    EventKind.KEY_CHANGED: Severity.NOTICE,
    EventKind.EVENT_REFUSED: Severity.NOTICE,
    EventKind.REQUEST_MALFORMED: Severity.NOTICE,
    EventKind.CLOCK_STEPPED: Severity.NOTICE,
    EventKind.FIRMWARE_CHANGED: Severity.NOTICE,
    EventKind.STORE_DAMAGED: Severity.ALARM,
    EventKind.LOG_BROKEN: Severity.ALARM,
    EventKind.PACKAGE_TAMPERED: Severity.ALARM,
    EventKind.BOOT_CHANGED: Severity.ALARM,
    EventKind.AGENT_SILENT: Severity.ALARM,
    EventKind.DEVICE_CHANGED: Severity.ALARM,
    EventKind.DEVICE_HOSTILE: Severity.ALARM,
    EventKind.SERVER_HOSTILE: Severity.ALARM,
    EventKind.FIRMWARE_UNTRUSTED: Severity.ALARM,
    EventKind.THREAT: Severity.ALARM,
}


def severity(kind: EventKind) -> Severity:
    """Return how grave an event of a kind is by itself."""
    return _SEVERITY.get(kind, Severity.WARNING)
