"""What somebody can ask of a hub's page: octets as they are sent, and browsers' manners."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.security.street import Account, Street

_WITHIN_S: Final = 20.0
_MOST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, as octets.

    Attributes:
        method: GET, POST, ...
        path: As it stands in the first line.
        headers: Beside `Host`, in order; may be named twice.
        body: What comes behind them.
        host: The value of `Host`; "{host}" stands for the page's, None for no such header.
        sized: Whether the body's length is said.
        version: Of HTTP.
    """

    method: str = "GET"
    path: str = "/api/health"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    host: str | None = "{host}"
    sized: bool = True
    version: str = "HTTP/1.1"

    def octets(self, host: str) -> bytes:
        """Return what is sent to a page of this host and port."""
        lines = [f"{self.method} {self.path} {self.version}"]
        if self.host is not None:
            lines.append(f"Host: {self.host}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.sized and (self.body or self.method not in {"GET", "HEAD"}):
            lines.append(f"Content-Length: {len(self.body)}")
        lines.append("Connection: close")
        text = "\r\n".join(lines).replace("{host}", host)
        return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body


def order(path: str, body: object, *headers: tuple[str, str], method: str = "POST") -> Ask:
    """Return a request that carries JSON."""
    kind = ("Content-Type", "application/json")
    return Ask(method, path, (kind, *headers), json.dumps(body).encode())


async def send(street: Street, ask: Ask | bytes, address: str = "") -> str:
    """Ask the page from an address of one's own; returns status, headers and body."""
    page = street.page
    sent = ask if isinstance(ask, bytes) else ask.octets(f"{page.host}:{page.port}")
    return await sent_to(page.host, page.port, sent, address or street.address())


async def sent_to(host: str, port: int, sent: bytes, address: str) -> str:
    """Send octets; returns all that comes back, without the version of HTTP."""
    got = b""
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, local_addr=(address, 0))
            try:
                writer.write(sent)
                while len(got) < _MOST and (chunk := await reader.read(_MOST)):
                    got += chunk
            finally:
                writer.close()
    except ConnectionError as error:
        if not got:
            return f"closed ({type(error).__name__})"
    except TimeoutError:
        if not got:
            return "no answer"
    text = got.decode("utf-8", "replace")
    return re.sub(r"^HTTP/1\.[01] ", "", text) if text else "closed without an answer"


@dataclass
class Browser:
    """A browser with its cookies, at an address of its own."""

    street: Street
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __aenter__(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(local_addr=(self.address, 0))
        url = self.street.page.url
        self._session = aiohttp.ClientSession(
            url,
            connector=connector,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"Origin": url, **self.headers},
        )
        return self._session

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


async def log_in(session: aiohttp.ClientSession, account: Account) -> str:
    """Log in; returns the session's cookie as a browser sends it."""
    order = {"name": account.name, "password": account.password}
    async with session.post("/api/login", json=order) as answer:
        assert answer.status == 200, f"{account.name}: {answer.status} {await answer.text()}"
        found = [c for c in answer.headers.getall("Set-Cookie") if c.startswith("hems-session=")]
        assert found, answer.headers
        return found[0].partition(";")[0]


async def cookie_of(street: Street, account: Account) -> str:
    """Return the cookie of a session that somebody has just begun at home."""
    async with Browser(street, "127.0.0.1") as session:
        return await log_in(session, account)
