"""Attacks on the page by the shape of a request: paths, bodies, headers, and how it is framed."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tests.security.attack import Attack, Entry, Where
from tests.security.cases import MALFORMED, OWN, REFUSED, Case, row
from tests.security.street import Street
from tests.security.visits import Ask

_SECRETS: Final = ("root:", "[build-system]", "import ", "BEGIN EC PRIVATE", "SQLite")


def _climbs(id_: str, path: str, *, quick: bool = False) -> Case:
    return Case(
        f"web-path-{id_}",
        f"Asks for {path} to leave the page's folder",
        Ask(path=path),
        "^40[0134] ",
        MALFORMED,
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
        REFUSED,
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

ROWS: Final[Sequence[Attack[Street]]] = [row(case) for case in (*PATHS, *BODIES, *FRAMES)]
