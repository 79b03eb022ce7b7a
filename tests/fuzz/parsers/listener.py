"""Octets at the two ports of the hub that others may open, where HTTP is expected.

An input is a first octet that says which port, and what is sent there. Whatever it was, it costs
no answer of 5xx, and the next visitor is served while the first one still holds the line.
"""

import asyncio
import socket
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hems.sep2.errors import MalformedError
from hems.sep2.transport.listener import Listener
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.parser import Parser, WrongError
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving
from web.settings import WebSettings

_WITHIN_S: Final = 5.0
_PATIENT_S: Final = 0.05
_MOST: Final = 1 << 20
_FIRST_LINE: Final = 12
"""Octets up to the status: "HTTP/1.1 200"."""


@cache
def _ports() -> tuple[int, int]:
    """Open both ports, in a thread of their own for as long as the process lives."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return asyncio.run_coroutine_threadsafe(_open(), loop).result(30.0)


async def _open() -> tuple[int, int]:
    async def handle(body: bytes, sender: str | None) -> None:
        raise MalformedError("a notification", f"{len(body)} octets by {sender}")

    uri = await Listener(handle, None, host="127.0.0.1", read_s=1.0).start()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-listener-"))
    (folder / "index.html").write_text("<!doctype html>", encoding="utf-8")
    page = serving(ScriptedHome(), WebSettings(port=0, static_dir=folder), ScriptedClock())
    url = await page.__aenter__()
    _KEPT.append(page)
    return urlsplit(uri).port or 0, urlsplit(url).port or 0


_KEPT: Final[list[object]] = []
"""What must not be collected while its port is open."""


def examine(data: bytes) -> str:
    """Send an input to a port, and see that the port serves on."""
    head, sent = (data[0], data[1:]) if data else (0, b"")
    which = head % 2
    port, sound = _ports()[which], (_NOTIFIED, _ASKED)[which]
    with socket.create_connection(("127.0.0.1", port), timeout=_WITHIN_S) as first:
        status = _answer(first, sent, _PATIENT_S)[:_FIRST_LINE].decode("latin-1")
        with socket.create_connection(("127.0.0.1", port), timeout=_WITHIN_S) as second:
            again = _answer(second, sound, _WITHIN_S)
    if status.startswith("HTTP/") and status[9:10] == "5":
        raise WrongError(f"it is answered with {status}")
    if not again.startswith((b"HTTP/1.1 400", b"HTTP/1.1 200")):
        raise WrongError(f"the next visitor gets {again[:100]!r}")
    return f"{which} {status}"


def _answer(connection: socket.socket, sent: bytes, within_s: float) -> bytes:
    """Send, and return what comes until the other side closes or falls silent."""
    connection.settimeout(within_s)
    answer = b""
    try:
        connection.sendall(sent)
        while len(answer) < _MOST and (piece := connection.recv(65_536)):
            answer += piece
    except (ConnectionError, TimeoutError):
        pass  # closed before all was sent, or kept open for more
    return answer


_BODY: Final = b'<Notification xmlns="urn:ieee:std:2030.5:ns"/>'
_NOTIFIED: Final = (
    b"POST /notify HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n"
    b"Content-Type: application/sep+xml\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
_ASKED: Final = b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def seeds() -> list[bytes]:
    """Return requests, whole and odd."""
    chunked = (
        b"POST /notify HTTP/1.1\r\nHost: hub\r\nContent-Type: application/sep+xml\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    steered = (
        b"POST /api/people HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
        b'Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"name": "x"}'
    )
    asked = b"GET /api/home?lang=fr HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
    cookie = (
        b"GET / HTTP/1.0\r\nHost: [::1]\r\nCookie: a=b; hems_session=x\r\nRange: bytes=0-\r\n\r\n"
    )
    return [b"\0" + each for each in (_NOTIFIED, chunked, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")] + [
        b"\1" + each for each in (_ASKED, steered, asked, cookie, b"\x16\x03\x01\x00\x05hello")
    ]


WORDS: Final = (
    *NASTY[:10], b"Content-Length: ", b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n\r\n", b"\n", b"\r", b"Host: ", b"ffffffffffffffff\r\n", b"-1", b"HTTP/1.1", b"%2e%2e/",
    b"Upgrade: websocket\r\n", b"Cookie: ", b"//", b"http://x/", b"GET ", b"POST ", b"DELETE ",
    b"Content-Encoding: gzip\r\n", b"Last-Event-ID: x\r\n", b"If-None-Match: *\r\n",
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS, rounds=12)
