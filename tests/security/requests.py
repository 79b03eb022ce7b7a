"""Attacks on the page by single requests: other sites, other names, nobody's sessions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tests.security.attack import Attack, Entry, Where
from tests.security.cases import OWN, REFUSED, Case, row
from tests.security.street import Street
from tests.security.visits import Ask, order

_WISH: Final = "/api/devices/ev/wish"
_LANGUAGE: Final = order("/api/me/language", {"language": "en"}, OWN, method="PUT")
_CHANGE: Final = order("/api/me/language", {"language": "fr"}, method="PUT")


def _from(*headers: tuple[str, str]) -> Ask:
    return replace(_CHANGE, headers=(*_CHANGE.headers, *headers))


def _foreign(id_: str, does: str, ask: Ask, **more: bool) -> Case:
    """Return a forged request: the owner's browser sends it, another site has made it."""
    quick = more.get("quick", False)
    return Case(
        f"web-csrf-{id_}",
        f"Has the owner's browser {does}",
        ask,
        "^403 ",
        REFUSED,
        _LANGUAGE,
        "^200 ",
        inside=True,
        quick=quick,
    )


CSRF: Final = (
    _foreign(
        "origin",
        "change something from another site",
        _from(("Origin", "https://evil.example")),
        quick=True,
    ),
    _foreign("null-origin", "do so out of a sandboxed frame", _from(("Origin", "null"))),
    _foreign("no-origin", "do so without saying from where", _from(), quick=True),
    _foreign(
        "other-port",
        "do so from another port of the hub's name",
        _from(("Origin", "http://127.0.0.1:1")),
    ),
    _foreign(
        "look-alike",
        "do so from a site whose name begins as the hub's",
        _from(("Origin", "http://{host}.evil.example")),
    ),
    _foreign(
        "two-origins",
        "say two origins, one of them right",
        _from(OWN, ("Origin", "https://evil.example")),
    ),
    _foreign(
        "cross-site",
        "change something, its origin forged, which browsers mark as cross-site",
        _from(OWN, ("Sec-Fetch-Site", "cross-site")),
    ),
    _foreign(
        "text-plain",
        "send a form's text/plain, which needs no leave (preflight)",
        replace(
            _CHANGE, headers=(("Content-Type", "text/plain"), ("Origin", "https://evil.example"))
        ),
        quick=True,
    ),
    _foreign(
        "delete",
        "end all its sessions",
        Ask("DELETE", "/api/me/sessions/1", (("Origin", "https://evil.example"),)),
    ),
    _foreign(
        "read",
        "fetch the home's state for another site",
        Ask("GET", "/api/home", (("Sec-Fetch-Site", "cross-site"),)),
    ),
    Case(
        "web-csrf-preflight",
        "Asks whether another site may change something (CORS)",
        Ask(
            "OPTIONS",
            _WISH,
            (("Origin", "https://evil.example"), ("Access-Control-Request-Method", "PUT")),
        ),
        "^403 |^405 ",
        Entry(Where.SECURITY, "request-(refused|malformed)"),
        never=("access-control-allow",),
    ),
    Case(
        "web-method-override",
        "Hides a change in a GET (X-HTTP-Method-Override)",
        Ask("GET", "/api/health", (("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "PUT"))),
        "^200 ",
        None,
        silent="the header means nothing: it is the GET that it is",
    ),
)

HOSTS: Final = (
    Case(
        "web-host-rebinding",
        "Points a name of its own at the hub (DNS rebinding)",
        Ask(path="/api/home", host="evil.example"),
        "^421 ",
        REFUSED,
        quick=True,
    ),
    Case("web-host-none", "Names no host", Ask(host=None), "^400 "),
    Case("web-host-two", "Names two hosts", Ask(headers=(("Host", "evil.example"),)), "^400 "),
    Case(
        "web-host-user",
        "Hides a host behind the right one",
        Ask(host="{host}@evil.example"),
        "^400 |^421 ",
    ),
    Case(
        "web-host-address", "Names another address", Ask(host="169.254.169.254"), "^421 ", REFUSED
    ),
    Case(
        "web-host-absolute",
        "Asks for a page of another host, as one asks a proxy",
        Ask(path="http://evil.example/api/home"),
        "^40[0134] |^421 ",
        Entry(Where.SECURITY, "request-(refused|malformed)"),
    ),
    Case(
        "web-host-forwarded",
        "Claims to come from this machine (X-Forwarded-For)",
        Ask(
            path="/api/home", headers=(("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"))
        ),
        "^401 ",
        REFUSED,
    ),
)


NOBODY: Final = (
    Case(
        "web-session-none",
        "Asks for the home without a session",
        Ask(path="/api/home"),
        "^401 ",
        REFUSED,
        quick=True,
    ),
    Case(
        "web-session-stream",
        "Listens to the home's stream without a session",
        Ask(path="/api/stream"),
        "^401 ",
        REFUSED,
    ),
    Case(
        "web-session-socket",
        "Opens a WebSocket without a session",
        Ask(
            path="/api/stream",
            headers=(
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ),
        ),
        "^401 ",
        REFUSED,
    ),
    Case(
        "web-session-planted",
        "Shows a session's cookie of its own making (fixation)",
        Ask(path="/api/home", headers=(("Cookie", "hems-session=planted"),)),
        "^401 ",
        REFUSED,
        quick=True,
    ),
    Case(
        "web-token-none",
        "Shows a token of its own making",
        Ask(path="/api/home", headers=(("Authorization", "Bearer " + "A" * 43),)),
        "^401 ",
        REFUSED,
    ),
    Case(
        "web-token-basic",
        "Shows a name and password as a program of 1996 would",
        Ask(path="/api/home", headers=(("Authorization", "Basic YWRtaW46YWRtaW4="),)),
        "^401 ",
        REFUSED,
    ),
    Case(
        "web-token-url",
        "Shows a token within the address, where logs keep it",
        Ask(path="/api/home?token=AAAA&access_token=AAAA"),
        "^401 ",
        REFUSED,
    ),
    Case(
        "web-first-again",
        "Makes itself the first account",
        order("/api/first", {"name": "Eve", "password": "a password of mine"}, OWN),
        "^409 ",
        Entry(Where.TRAIL, "POST /api/first .*409"),
        quick=True,
    ),
)


ROWS: Final[Sequence[Attack[Street]]] = [row(case) for case in (*CSRF, *HOSTS, *NOBODY)]
