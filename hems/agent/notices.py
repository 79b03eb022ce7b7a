"""What the agent noticed, in words."""

from certs import own_writes
from certs.agent.sockets import Oddity
from der.sentence import say
from hems.agent.letters import SettingsNotice, SocketNotice
from hems.security_event import EventKind, SecurityEvent


def event_of(notice: SettingsNotice | SocketNotice) -> SecurityEvent | None:
    """Return what is to be noted; None for what the hub has done itself."""
    if isinstance(notice, SocketNotice):
        return SecurityEvent(EventKind.CONNECTION, _of_socket(notice), source=notice.address)
    if own_writes.ours(notice.sha256):
        return None
    return SecurityEvent(EventKind.CONFIG_CHANGED, _of_file(notice), about=notice.path)


def _of_socket(notice: SocketNotice) -> str:
    match notice.what:
        case Oddity.HUB_LISTENS:
            return say(
                "The hub listens at {address}, port {port}, for which nothing is configured.",
                address=notice.address,
                port=notice.port,
            )
        case Oddity.MACHINE_LISTENS:
            return say(
                "A program on the hub's machine has begun to listen at {address}, port {port}.",
                address=notice.address,
                port=notice.port,
            )
        case Oddity.FROM_OUTSIDE:
            return say(
                "Somebody from outside the home, {address}, is connected to port {port} of the "
                "hub's machine.",
                address=notice.address,
                port=notice.port,
            )
        case Oddity.HALF_OPEN:
            return say(
                "{count} connections to the hub's machine were begun and not finished, most of "
                "them from {address}.",
                count=notice.count,
                address=notice.address,
            )


def _of_file(notice: SettingsNotice) -> str:
    if notice.what == "added":
        return say("{file} was added at the hub's machine itself.", file=notice.path)
    if notice.what == "removed":
        return say("{file} was removed at the hub's machine itself.", file=notice.path)
    if not notice.keys:
        return say("{file} was changed at the hub's machine itself.", file=notice.path)
    return say(
        "{file} was changed at the hub's machine itself: {keys}.",
        file=notice.path,
        keys=", ".join(notice.keys),
    )
