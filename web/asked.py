"""What is known of a request beside the request itself: which operation it is, who asks, and how.

Put into the request before anything else looks at it, so that whoever serves it can add to it and
the last one to touch the answer can read it all.
"""

from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from hems.access.logins import Login
from hems.access.rights import Right, Who
from hems.store.people import TokenRow


class Way(StrEnum):
    """How somebody got in."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word
    MACHINE = "machine"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class Pass:
    """Somebody who was let in.

    Attributes:
        who: Who asks.
        way: How they got in.
        login: By which session; None for other ways.
        token: By which token; None for other ways.
        proved: Whether they have proved lately who they are, or their way is proof enough.
        lacks: Whether they may do nothing before they have a second factor.
    """

    who: Who
    way: Way
    login: Login | None = None
    token: TokenRow | None = None
    proved: bool = True
    lacks: bool = False


@dataclass(slots=True)
class Asked:
    """What is known of a request.

    Attributes:
        did: The operation, as "POST /api/people"; empty where it is none.
        right: What it needs.
        admitted: Who asks; None for somebody who has not proved it.
        about: What it concerned, beyond what its path says; never a secret.
        cookie: The token of a session to be kept by the browser; empty to have it forgotten; None
            for neither.
        known: By which token the browser is to be known; None where that does not change.
    """

    did: str = ""
    right: Right = Right.ANYBODY
    admitted: Pass | None = None
    about: str = ""
    cookie: str | None = None
    known: str | None = None


_ASKED = web.RequestKey("asked", Asked)


def begin(request: web.Request) -> Asked:
    """Put what is known of a request into it."""
    asked = Asked()
    request[_ASKED] = asked
    return asked


def asked_of(request: web.Request) -> Asked:
    """Return what is known of a request."""
    asked = request.get(_ASKED)
    return begin(request) if asked is None else asked
