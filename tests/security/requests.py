"""Attacks on the page by single requests: names, origins, paths, bodies, headers, framing."""

import gzip
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.access.rights import Role
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street
from tests.security.visits import Ask, cookie_of, order, send

_REFUSED: Final = Entry(Where.SECURITY, "request-refused")
_MALFORMED: Final = Entry(Where.SECURITY, "request-malformed")
_SECRETS: Final = ("root:", "[build-system]", "import ", "BEGIN EC PRIVATE", "SQLite")
_WISH: Final = "/api/devices/ev/wish"


@dataclass(frozen=True, slots=True)
class Case:
    """One request that is to be refused.

    Attributes:
        id: Of the row.
        does: What the attacker does, in words.
        ask: What is sent.
        status: A regular expression of the answer.
        entry: What is to be left.
        rightly: The same done rightly.
        served: Its answer.
        inside: Whether the owner's own session goes with it, as a browser would send it.
        never: What the answer may not have in it.
        silent: Why there is no entry.
        quick: Whether `make test` has it.
    """

    id: str
    does: str
    ask: Ask | bytes
    status: str
    entry: Entry | None = _MALFORMED
    rightly: Ask = Ask()
    served: str = "^200 "
    inside: bool = False
    never: tuple[str, ...] = ()
    silent: str = ""
    quick: bool = False


def _with_cookie(ask: Ask, cookie: str) -> Ask:
    return replace(ask, headers=(*ask.headers, ("Cookie", cookie)))


def _attempt(case: Case) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        ask = case.ask
        if case.inside and isinstance(ask, Ask):
            ask = _with_cookie(ask, await cookie_of(street, street.people[Role.OWNER]))
        answer = await send(street, ask)
        for secret in case.never:
            assert secret.lower() not in answer.lower(), (
                f"the answer has {secret!r}: {answer[:200]}"
            )
        return answer

    return attempt


def _rightly(case: Case) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        ask = case.rightly
        if case.inside:
            ask = _with_cookie(ask, await cookie_of(street, street.people[Role.OWNER]))
        return await send(street, ask, "127.0.0.1")

    return rightly


OWN: Final = ("Origin", "http://{host}")
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
        _REFUSED,
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
        _REFUSED,
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
        "web-host-address", "Names another address", Ask(host="169.254.169.254"), "^421 ", _REFUSED
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
        _REFUSED,
    ),
)


def _climbs(id_: str, path: str, *, quick: bool = False) -> Case:
    return Case(
        f"web-path-{id_}",
        f"Asks for {path} to leave the page's folder",
        Ask(path=path),
        "^40[0134] ",
        _MALFORMED,
        Ask(path="/"),
        never=_SECRETS,
        quick=quick,
    )


PATHS: Final = (
    _climbs("dots", "/../../../etc/passwd", quick=True),
    _climbs("encoded", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
    _climbs("slashes", "/..%2f..%2f..%2fetc%2fpasswd", quick=True),
    _climbs("double", "/%252e%252e/%252e%252e/etc/passwd"),
    _climbs("backslash", "/..\\..\\pyproject.toml"),
    _climbs("assets", "/assets/../../settings.py"),
    _climbs("assets-encoded", "/assets/%2e%2e/%2e%2e/server.py"),
    _climbs("null", "/index.html%00.js"),
    _climbs("absolute", "//etc/passwd"),
    _climbs("hidden", "/.git/config"),
    _climbs("utf8", "/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd"),
    _climbs("export", "/api/security/log/export/../../../../etc/passwd"),
)


def _login(body: bytes, *headers: tuple[str, str]) -> Ask:
    return Ask("POST", "/api/login", (("Content-Type", "application/json"), OWN, *headers), body)


def _body(
    id_: str, does: str, ask: Ask | bytes, status: str = "^400 ", *, quick: bool = False
) -> Case:
    return Case(f"web-body-{id_}", f"Sends {does}", ask, status, quick=quick)


_BOMB: Final = b'{"name": "' + b"a" * 20_000_000 + b'"}'
BODIES: Final = (
    _body("huge", "a body of 10 MB", _login(b"x" * 10_000_000), r"^413 |^closed \(", quick=True),
    _body(
        "chunked",
        "pieces without an end",
        replace(
            _login(
                b"2000\r\n" + b"x" * 0x2000 + b"\r\n" + b"2000\r\n" + b"x" * 0x2000 + b"\r\n",
                ("Transfer-Encoding", "chunked"),
            ),
            sized=False,
        ),
        "^413 ",
    ),
    _body("deep", "JSON 2,000 levels deep", _login(b"[" * 2000 + b"]" * 2000), quick=True),
    _body("no-json", "no JSON at all", _login(b"<xml/>")),
    _body("no-text", "octets that are no text", _login(b'{"name": "\xff\xfe", "password": "x"}')),
    _body(
        "surrogate", "half a character", _login(b'{"name": "\\ud800", "password": "x"}'), "^40[03] "
    ),
    _body(
        "twice", "a key that is unknown", _login(b'{"name": "a", "password": "b", "role": "owner"}')
    ),
    _body("array", "a list in the place of an object", _login(b'[{"name": "a"}]')),
    _body("number", "a number of 4,000 digits", _login(b'{"name": ' + b"9" * 4000 + b"}")),
    _body(
        "gzip",
        "20 MB in a few kB of gzip",
        _login(gzip.compress(_BOMB), ("Content-Encoding", "gzip")),
        "^413 |^400 ",
        quick=True,
    ),
    _body(
        "deflate",
        "20 MB in a few kB of deflate",
        _login(zlib.compress(_BOMB), ("Content-Encoding", "deflate")),
        "^413 |^400 ",
    ),
    _body(
        "no-gzip",
        "gzip that is none",
        _login(b"\x1f\x8b\x08nonsense", ("Content-Encoding", "gzip")),
    ),
)


def _raw(id_: str, does: str, octets: bytes, status: str = "^400 ") -> Case:
    return Case(f"web-http-{id_}", does, octets, status)


_HEAD: Final = b"POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
_INNER: Final = b"0\r\n\r\nGET /api/home HTTP/1.1\r\nHost: evil.example\r\n\r\n"
FRAMES: Final = (
    _raw(
        "smuggle-cl-te",
        "Says two lengths of a body (Content-Length and chunked)",
        _HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + _INNER,
    ),
    _raw(
        "smuggle-two-lengths",
        "Says Content-Length twice",
        _HEAD + b"Content-Length: 6\r\nContent-Length: 0\r\n\r\n" + _INNER,
    ),
    _raw(
        "smuggle-space",
        "Writes a space before a colon",
        _HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + _INNER,
    ),
    _raw(
        "smuggle-te-te",
        "Says Transfer-Encoding twice",
        _HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + _INNER,
    ),
    _raw("length-negative", "Says a negative length", _HEAD + b"Content-Length: -1\r\n\r\n"),
    _raw("length-plus", "Says a length with a sign", _HEAD + b"Content-Length: +5\r\n\r\nhello"),
    _raw(
        "chunk-size",
        "Says a chunk of no size",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
    ),
    _raw(
        "fold",
        "Folds a header over two lines",
        _HEAD + b"X-A: b\r\n c: d\r\nContent-Length: 0\r\n\r\n",
    ),
    _raw(
        "bare-return", "Hides a header behind a bare return", _HEAD + b"X-A: b\rOrigin: x\r\n\r\n"
    ),
    _raw("null", "Writes a zero into a header", _HEAD + b"X-A: b\0c\r\n\r\n"),
    _raw(
        "long-line",
        "Asks for a path of 100,000 characters",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ),
    _raw(
        "long-header",
        "Sends a header of 100,000 characters",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
    ),
    _raw("http-2", "Speaks HTTP/2 without being asked", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _raw(
        "tls",
        "Speaks TLS on the plain port",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\0" * 161,
    ),
    Case(
        "web-http-trace",
        "Asks that its request be sent back (TRACE)",
        Ask("TRACE", "/", (("X-Secret", "of-a-proxy"),), sized=False),
        "^40[035] ",
        Entry(Where.SECURITY, "request-(refused|malformed)"),
        never=("of-a-proxy",),
    ),
    Case(
        "web-http-connect",
        "Uses the hub as a proxy (CONNECT)",
        Ask("CONNECT", "169.254.169.254:80", sized=False),
        "^40[0345] ",
        Entry(Where.SECURITY, "request-(refused|malformed)"),
    ),
    Case(
        "web-header-split",
        "Writes a line's end into a path, to add a header to the answer",
        Ask(path="/api/nothing%0d%0aSet-Cookie:%20hems-session=planted"),
        "^404 ",
        never=("set-cookie",),
    ),
    Case(
        "web-header-language",
        "Writes nonsense into the language that it wants",
        Ask(path="/api/home?lang=%0d%0aX-Injected:1", headers=(("Accept-Language", "x" * 4000),)),
        "^40[01] ",
        _REFUSED,
        never=("x-injected",),
    ),
    Case(
        "web-range-bomb",
        "Asks for a file in 1,000 overlapping pieces",
        Ask(path="/", headers=(("Range", "bytes=" + ",".join(["0-"] * 1000)),)),
        "^200 |^206 |^416 |^400 ",
        None,
        Ask(path="/"),
        silent="the file is sent once, or not at all",
    ),
)

NOBODY: Final = (
    Case(
        "web-session-none",
        "Asks for the home without a session",
        Ask(path="/api/home"),
        "^401 ",
        _REFUSED,
        quick=True,
    ),
    Case(
        "web-session-stream",
        "Listens to the home's stream without a session",
        Ask(path="/api/stream"),
        "^401 ",
        _REFUSED,
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
        _REFUSED,
    ),
    Case(
        "web-session-planted",
        "Shows a session's cookie of its own making (fixation)",
        Ask(path="/api/home", headers=(("Cookie", "hems-session=planted"),)),
        "^401 ",
        _REFUSED,
        quick=True,
    ),
    Case(
        "web-token-none",
        "Shows a token of its own making",
        Ask(path="/api/home", headers=(("Authorization", "Bearer " + "A" * 43),)),
        "^401 ",
        _REFUSED,
    ),
    Case(
        "web-token-basic",
        "Shows a name and password as a program of 1996 would",
        Ask(path="/api/home", headers=(("Authorization", "Basic YWRtaW46YWRtaW4="),)),
        "^401 ",
        _REFUSED,
    ),
    Case(
        "web-token-url",
        "Shows a token within the address, where logs keep it",
        Ask(path="/api/home?token=AAAA&access_token=AAAA"),
        "^401 ",
        _REFUSED,
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


def _row(case: Case) -> Attack[Street]:
    return Attack(
        case.id,
        Kind.WEB,
        case.does,
        _attempt(case),
        case.status,
        case.entry,
        _rightly(case),
        case.served,
        case.silent,
        deep=not case.quick,
    )


ROWS: Final[Sequence[Attack[Street]]] = [
    _row(case) for case in (*CSRF, *HOSTS, *PATHS, *BODIES, *FRAMES, *NOBODY)
]
