"""What a link to a utility notices, as events that bear on security."""

import pytest

from hems.link_notes import event_of, handshake
from hems.security_event import EventKind
from hems.sep2.errors import (
    ForbiddenError,
    HarmfulError,
    MalformedError,
    MovedError,
    NotFoundError,
    OversizedError,
    PinError,
    RedirectError,
    Sep2Error,
    TrustError,
    UnreachableError,
)
from hems.sep2.noticed import Noticed, What

pytestmark = pytest.mark.requirement("L2-EVENTS")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TrustError("h: expired"), EventKind.SERVER_REFUSED),
        (PinError("h: another PIN"), EventKind.SERVER_REFUSED),
        (MovedError("h: moved", "https://evil/"), EventKind.SERVER_REFUSED),
        (RedirectError("h: more than 5 redirects"), EventKind.SERVER_HOSTILE),
        (OversizedError("h: 1000000 items"), EventKind.SERVER_HOSTILE),
        (HarmfulError("h", "a DOCTYPE is not allowed"), EventKind.SERVER_HOSTILE),
        (MalformedError("Time", "no time"), None),
        (NotFoundError("h: not there"), None),
        (UnreachableError("h: no route"), None),
        (ForbiddenError("h: 403", status=403), None),
    ],
)
def test_what_a_server_does_wrong(error: Sep2Error, kind: EventKind | None) -> None:
    event = event_of(Noticed(What.SERVER, str(error), error=error), "grid")
    assert (None if event is None else event.kind) == kind
    if event is not None:
        assert event.about == "grid"
        assert str(error) in event.text


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (What.NOTIFICATION, EventKind.NOTIFICATION_REFUSED),
        (What.EVENT, EventKind.EVENT_REFUSED),
        (What.REPLAY, EventKind.REPLAY),
    ],
)
def test_what_else_is_noticed(what: What, kind: EventKind) -> None:
    event = event_of(Noticed(what, "because", "198.51.100.4", "E1"), "grid")
    assert event is not None
    assert (event.kind, event.about, event.source) == (kind, "E1", "198.51.100.4")


def test_a_caller_without_a_good_certificate() -> None:
    event = handshake("no certificate", "notifications")
    assert (event.kind, event.about) == (EventKind.PEER_REFUSED, "notifications")


def test_a_server_whose_clock_was_set() -> None:
    event = event_of(Noticed(What.CLOCK, "+3600 s"), "grid")
    assert event is not None
    assert (event.kind, event.about, event.source) == (EventKind.CLOCK_STEPPED, "grid", "grid")
    assert event.text == "The clock of the server of grid was set by +3600 s."
