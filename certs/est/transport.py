"""One request to an EST server over TLS: bounded in time and size, no redirect followed."""

import asyncio
import base64
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from cryptography import x509
from multidict import CIMultiDictProxy

from certs.errors import CertificateError, PeerError
from certs.est.errors import EstError, Fault, WaitError
from certs.est.request import tls_unique
from certs.est.wire import MOST_OCTETS
from certs.explain import explain
from certs.identity import IdentityFiles
from certs.pem import der, load_into, write_crls

PATH: Final = "/.well-known/est/"
WITHIN_S: Final = 20.0

_OK: Final = 200
_ACCEPTED: Final = 202
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_REFUSALS: Final = range(400, 500)
_UNAVAILABLE: Final = 503
_LATER: Final = frozenset({_ACCEPTED, _TOO_MANY, _UNAVAILABLE})
_AGAIN_S: Final = 30.0
_LONGEST_WAIT_S: Final = 86400.0
_MOST_SAID: Final = 200
_CLOCK_CODES: Final = frozenset({9, 10, 11, 12})
"""OpenSSL's X509_V_ERR_* of what is not yet, or no longer, valid."""


Body = Callable[[bytes | None], bytes]
"""Makes what is sent; told what the connection is known by to both its ends."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came.

    Attributes:
        body: Its octets.
        links: The addresses of its Link header by relation, each with its title.
        at: The server's time, UTC epoch seconds; None where it does not say.
    """

    body: bytes
    links: Mapping[str, tuple[str, str]]
    at: float | None


def unverified() -> ssl.SSLContext:
    """Return the context of the very first question, whose answer is checked by other means."""
    context = _plain()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trusting(
    roots: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    identity: IdentityFiles | None = None,
) -> ssl.SSLContext:
    """Return a context that takes servers of some roots by the name that they are asked under.

    The name matters: other homes' certificates have the same root, and none of them has one.

    Args:
        roots: Whom to believe.
        crls: Revocation lists; where there are any, every CA of a chain must have one.
        identity: Whom to show; None for nobody.

    Raises:
        EstError: A file of the identity, or a list, cannot be used.
    """
    context = _plain()
    context.load_verify_locations(cadata=b"".join(map(der, roots)))
    if crls:
        with tempfile.TemporaryDirectory() as folder:  # OpenSSL takes lists from files only
            path = Path(folder) / "crls.pem"
            write_crls(path, crls)
            load_into(context, path)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if identity is not None:
        try:
            if identity.keys is None:
                context.load_cert_chain(identity.certificate, identity.key)
            else:
                with identity.keys.tls(identity.key) as key:
                    context.load_cert_chain(identity.certificate, key.path, key.password)
        except (OSError, ssl.SSLError) as error:
            raise EstError(
                Fault.BROKEN, f"{identity.certificate}: cannot be used: {error}"
            ) from error
    return context


async def ask(
    authority: str,
    operation: str,
    context: ssl.SSLContext,
    *,
    kind: str,
    body: Body | None = None,
    sent: str = "",
    password: str = "",
    within_s: float = WITHIN_S,
) -> Answered:
    """Ask a server.

    Args:
        authority: HOST:PORT.
        operation: Last part of the path.
        context: See `unverified` and `trusting`.
        kind: Media type that the answer must have.
        body: Makes what is sent, once the connection stands; None for a question only.
        sent: Its media type.
        password: One-time password; empty for none.
        within_s: Longest time for all of it.

    Raises:
        EstError: It cannot be asked, refuses, or answers something else.
        WaitError: It decides later.
        CertificateError: As `body` raises.
    """
    headers, tied = {"Accept": kind}, None if body is None else _Tied(body)
    if tied is not None:
        headers |= {"Content-Type": sent, "Content-Transfer-Encoding": "base64"}
    if password:
        shown = base64.b64encode(f"hub:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {shown}"
    timeout = aiohttp.ClientTimeout(total=within_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                "GET" if tied is None else "POST",
                f"https://{authority}{PATH}{operation}",
                data=tied,
                headers=headers,
                ssl=context,
                allow_redirects=False,
            ) as response,
        ):
            content = await _bounded(response)
            return _judged(response, content, kind)
    except (aiohttp.ClientError, OSError, TimeoutError, PeerError) as error:
        if tied is not None and tied.failure is not None:
            raise tied.failure from error
        raise _unreached(error, authority, within_s) from error


class _Tied(Payload):
    """A body that is made when its connection stands, so that it can be tied to it.

    Attributes:
        failure: Why it could not be made; the HTTP library tells of it in words of its own.
    """

    def __init__(self, make: Body) -> None:
        super().__init__(None)
        self._make = make
        self.failure: CertificateError | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - the library's
        """Return no text: before there is a connection there is no body."""
        return ""

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Make the body and send it."""
        transport = getattr(writer, "transport", None)
        connection = None if transport is None else transport.get_extra_info("ssl_object")
        binding = None if connection is None else tls_unique(connection)
        try:
            # Aside, like whatever may ask a key store: that takes its time.
            body = await asyncio.to_thread(self._make, binding)
        except CertificateError as error:
            self.failure = error
            raise
        await writer.write(body)


def _plain() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_chunked(MOST_OCTETS):
        content += piece
        if len(content) > MOST_OCTETS:
            raise EstError(Fault.BROKEN, f"the server's answer is longer than {MOST_OCTETS} octets")
    return bytes(content)


def _judged(response: aiohttp.ClientResponse, content: bytes, kind: str) -> Answered:
    status, headers = response.status, response.headers
    if status in _LATER:
        raise WaitError(_said(content) or "the server decides later", _again_s(headers))
    if status == _UNAUTHORIZED:
        raise EstError(
            Fault.SPENT,
            "the server does not take the one-time code: it is used, expired or wrong",
        )
    if status != _OK:
        said = _said(content) or f"status {status}"
        if status not in _REFUSALS:
            raise EstError(Fault.BROKEN, f"the server cannot answer: {said}")
        raise EstError(Fault.REFUSED, f"the server refuses: {said}")
    if response.content_type != kind.partition(";")[0]:
        raise EstError(Fault.BROKEN, f"the server's answer is not {kind}")
    links = {
        str(each["rel"]): (str(each["url"]), str(each.get("title", "")))
        for each in response.links.values()
        if "rel" in each and "url" in each
    }
    return Answered(content, links, server_time(headers.get("Date", "")))


def _said(content: bytes) -> str:
    text = content[:_MOST_SAID].decode("utf-8", "replace").strip()
    return "".join(char if char.isprintable() else " " for char in text)


def _again_s(headers: CIMultiDictProxy[str]) -> float:
    """Return Retry-After, in seconds or as a date (RFC 9110, clause 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT_S)
    at, now = server_time(text), server_time(headers.get("Date", ""))
    if at is None:
        return _AGAIN_S
    return min(max(at - (time.time() if now is None else now), 0.0), _LONGEST_WAIT_S)


def server_time(text: str) -> float | None:
    """Return a date of HTTP as UTC epoch seconds; None for none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _unreached(error: BaseException, authority: str, within_s: float) -> EstError:
    if isinstance(error, TimeoutError):
        return EstError(
            Fault.UNREACHABLE, f"{authority} does not answer within {within_s:g} seconds"
        )
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ssl.SSLCertVerificationError):
            clock = getattr(at, "verify_code", None) in _CLOCK_CODES
            return EstError(
                Fault.CLOCK if clock else Fault.UNTRUSTED, f"{authority}: {explain(at)}"
            )
        at = at.__cause__ or at.__context__
    return EstError(Fault.UNREACHABLE, f"{authority}: {explain(error)}")
