"""The line to the enterprise: HTTPS on which both sides prove themselves, bounded in time and size.

A server must stand under the trusted root by its own name: other homes' certificates have the same
root, and none of them has one.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from certs.errors import PeerError
from certs.explain import explain
from certs.identity import IdentityFiles, Trust
from certs.tls import SepContext, client_context

WITHIN_S: Final = 30.0
_PIECE: Final = 1 << 14
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_NOT_FOUND: Final = 404
_DONE: Final = range(200, 300)


class LineError(Exception):
    """The enterprise cannot be asked, or does not answer as it should; `str()` says why.

    Attributes:
        hostile: Whether the server is not the one it should be, or its answer has no end.
    """

    def __init__(self, message: str, *, hostile: bool = False) -> None:
        super().__init__(message)
        self.hostile = hostile


@dataclass(frozen=True, slots=True)
class Got:
    """What came.

    Attributes:
        body: Its octets.
        tag: By which the server knows it; empty for none.
    """

    body: bytes
    tag: str


def secured(identity: IdentityFiles, trust: Trust) -> SepContext:
    """Return the TLS context of such a line; it may block where keys are in hardware.

    Raises:
        CertificateError: A file cannot be used.
    """
    context = client_context(identity, trust)
    context.check_hostname = True
    return context


class Line:
    """Asks one server, a new connection each time: that is every few minutes at most.

    Args:
        url: The enterprise's server, https.
        context: For TLS; see `secured`.
        within_s: Longest time for a question and its answer.
    """

    def __init__(self, url: str, context: ssl.SSLContext, within_s: float = WITHIN_S) -> None:
        self._base = URL(url.rstrip("/") + "/")
        self._context = context
        self._within_s = within_s

    async def get(self, path: str, most: int, *, kind: str, tag: str = "") -> Got | None:
        """Ask for something.

        Args:
            path: Below the server's address.
            most: Its greatest length, octets.
            kind: Its media type.
            tag: Of what is had already; empty for nothing.

        Returns:
            What came; None where it is still what is had, or there is none yet.

        Raises:
            LineError: It cannot be had.
        """
        headers = {"Accept": f"{kind}, application/*;q=0.1"} | (
            {"If-None-Match": tag} if tag else {}
        )
        return await self._exchange("GET", path, None, headers, most)

    async def post(self, path: str, body: bytes, kind: str) -> None:
        """Tell something.

        Raises:
            LineError: It was not taken.
        """
        await self._exchange("POST", path, body, {"Content-Type": kind}, _PIECE)

    async def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], most: int
    ) -> Got | None:
        try:
            async with (
                asyncio.timeout(self._within_s),
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
                ) as session,
                session.request(
                    method,
                    self._base / path.lstrip("/"),
                    data=body,
                    headers={**headers, "Accept-Encoding": "identity"},
                    ssl=self._context,
                    allow_redirects=False,
                ) as response,
            ):
                if response.status in {_NOT_MODIFIED, _NOT_FOUND} and method == "GET":
                    return None
                if response.status not in _DONE:
                    raise LineError(f"{self._base.host} answers {response.status}")
                content = await _bounded(response, most)
                return Got(content, response.headers.get("ETag", "")[:200])
        except TimeoutError as error:
            raise LineError(
                f"{self._base.host} does not answer within {self._within_s:g} seconds"
            ) from error
        except (aiohttp.ClientError, OSError, PeerError, ValueError) as error:
            raise LineError(
                f"{self._base.host}: {explain(error)}", hostile=_untrusted(error)
            ) from error


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        content += piece
        if len(content) > most:
            raise LineError(
                f"the answer of {response.url.host} is longer than {most} octets", hostile=True
            )
    return bytes(content)


def _untrusted(error: BaseException) -> bool:
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ssl.SSLCertVerificationError):
            return True
        at = at.__cause__ or at.__context__
    return False
