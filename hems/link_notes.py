"""What a link to a utility notices, as events that bear on security."""

from collections.abc import Mapping
from typing import Final

from certs.tls import SepContext
from der.sentence import say
from hems.security_event import EventKind, Note, SecurityEvent
from hems.sep2.errors import (
    HarmfulError,
    MovedError,
    OversizedError,
    RedirectError,
    Sep2Error,
    TrustError,
)
from hems.sep2.noticed import Noticed, What

_KINDS: Final[Mapping[What, EventKind]] = {
    What.NOTIFICATION: EventKind.NOTIFICATION_REFUSED,
    What.EVENT: EventKind.EVENT_REFUSED,
    What.REPLAY: EventKind.REPLAY,
}


def event_of(noticed: Noticed, utility: str) -> SecurityEvent | None:
    """Return the event; None for what bears on no security.

    Args:
        noticed: What was noticed.
        utility: Name of the utility.
    """
    match noticed.what:
        case What.SERVER:
            return None if noticed.error is None else _of_server(noticed.error, utility)
        case What.NOTIFICATION:
            text = say("A notification was refused: {why}.", why=noticed.why)
        case What.EVENT:
            text = say("An event is not carried out as it was sent: {why}.", why=noticed.why)
        case What.REPLAY:
            text = say("An event that is over was sent once more: {why}.", why=noticed.why)
        case What.CLOCK:
            text = say(
                "The clock of the server of {name} was set by {by}.", name=utility, by=noticed.why
            )
            return SecurityEvent(EventKind.CLOCK_STEPPED, text, utility, utility)
    about = noticed.about or utility
    return SecurityEvent(_KINDS[noticed.what], text, about, noticed.source or utility)


def handshake(why: str, door: str) -> SecurityEvent:
    """Return that somebody called in and got no further than the TLS handshake.

    Args:
        why: In one clause.
        door: What they called.
    """
    text = say("A caller was refused at the handshake: {why}.", why=why)
    return SecurityEvent(EventKind.PEER_REFUSED, text, about=door)


def noting(context: SepContext, note: Note, door: str) -> SepContext:
    """Have a listener's context note who fails at its handshake, beside logging it.

    Args:
        context: The listener's.
        note: Told.
        door: What is called there.
    """
    logged = context.on_refused

    def refused(why: str) -> None:
        logged(why)
        note(handshake(why, door))

    context.on_refused = refused
    return context


def _of_server(error: Sep2Error, utility: str) -> SecurityEvent | None:
    if isinstance(error, MovedError):
        text = say("The server sends the hub to another host: {why}.", why=error)
        return SecurityEvent(EventKind.SERVER_REFUSED, text, utility, utility)
    if isinstance(error, HarmfulError | OversizedError | RedirectError):
        text = say("The server's answers would keep the hub busy for good: {why}.", why=error)
        return SecurityEvent(EventKind.SERVER_HOSTILE, text, utility, utility)
    if isinstance(error, TrustError):
        text = say("A server could not prove that it is the utility's: {why}.", why=error)
        return SecurityEvent(EventKind.SERVER_REFUSED, text, utility, utility)
    return None
