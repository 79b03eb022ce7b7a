"""The cookies that the hub gives: the session's, and the one by which a browser is known.

Both are kept from scripts (HttpOnly) and from other sites (SameSite=Strict); by HTTPS they have a
prefix that has browsers take them by HTTPS only, and for this one host (RFC 6265bis 4.1.3.2).
"""

from typing import Final

from aiohttp import web

from hems.access.lifetimes import LIFETIMES
from web.asked import Asked
from web.security import SESSION_COOKIE, SESSION_COOKIE_BY_HTTPS

KNOWN_COOKIE: Final = "hems-known"
KNOWN_COOKIE_BY_HTTPS: Final = "__Host-hems-known"
_KNOWN_S: Final = 400 * 86_400
"""As long as browsers keep any (RFC 6265bis 4.1.2.2)."""


def session_token(request: web.Request) -> str:
    """Return by which token a browser is logged in; empty for none."""
    return request.cookies.get(_session(request), "")


def known_browser(request: web.Request) -> str:
    """Return by which token a browser is known; empty for none."""
    return request.cookies.get(_known(request), "")


def give(request: web.Request, asked: Asked, answer: web.StreamResponse) -> None:
    """Put into an answer the cookies that go with it."""
    if asked.cookie:
        longest_s = max(lifetime.whole_s for lifetime in LIFETIMES.values())
        _set(request, answer, _session(request), asked.cookie, int(longest_s))
    elif asked.cookie is not None:
        answer.del_cookie(
            _session(request), path="/", secure=request.secure, httponly=True, samesite="Strict"
        )
    if asked.known is not None:
        _set(request, answer, _known(request), asked.known, _KNOWN_S)


def _set(
    request: web.Request, answer: web.StreamResponse, name: str, value: str, lasts_s: int
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=lasts_s,
        path="/",
        secure=request.secure,
        httponly=True,
        samesite="Strict",
    )


def _session(request: web.Request) -> str:
    return SESSION_COOKIE_BY_HTTPS if request.secure else SESSION_COOKIE


def _known(request: web.Request) -> str:
    return KNOWN_COOKIE_BY_HTTPS if request.secure else KNOWN_COOKIE
