"""How grave an event is by itself, before it is known what several come to. Pure.

The service provider may call a kind graver than the hub does, never less grave: who breaks in
there, or signs by mistake, must not be able to silence a home.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hems import bulletin
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
    EventKind.DEVICE_MEDDLED: Severity.ALARM,
    EventKind.SERVER_HOSTILE: Severity.ALARM,
    EventKind.FIRMWARE_UNTRUSTED: Severity.ALARM,
    EventKind.THREAT: Severity.ALARM,
}


_SAID: Final[Mapping[bulletin.Severity, Severity]] = {
    bulletin.Severity.INFO: Severity.INFO,
    bulletin.Severity.WARNING: Severity.WARNING,
    bulletin.Severity.CRITICAL: Severity.ALARM,
}
Said = Mapping[str, bulletin.Severity]
"""What the service provider's bulletin says of kinds (`hems.bulletin.Bulletin.severities`)."""


def severity(kind: EventKind, said: Said = MappingProxyType({})) -> Severity:
    """Return how grave an event of a kind is by itself.

    Args:
        kind: The kind.
        said: What the service provider says of kinds; what is less grave than here is passed over.
    """
    own = _SEVERITY.get(kind, Severity.WARNING)
    word = said.get(kind.value)
    return own if word is None else graver(own, _SAID[word])


def graver(one: Severity, other: Severity) -> Severity:
    """Return the graver of two."""
    return max(one, other, key=ORDER.index)
