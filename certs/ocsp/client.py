"""A certificate asked about: at one responder after the other, until one says something."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.ocsp import OCSPResponseStatus

from certs.ocsp import transport
from certs.ocsp.answer import Answer, Status, read
from certs.ocsp.errors import DeclinedError, OcspError, UnansweredError
from certs.ocsp.question import Question, question

MOST_ADDRESSES: Final = 3
"""So many of the addresses that a certificate names are tried."""

_OTHER_NAME: Final = frozenset(
    {
        OCSPResponseStatus.MALFORMED_REQUEST,
        OCSPResponseStatus.UNAUTHORIZED,
        OCSPResponseStatus.INTERNAL_ERROR,
    }
)
"""What responders say that know their CA by its SHA-1 only, as older profiles have it."""


@dataclass(frozen=True, slots=True)
class Means:
    """By what responders are asked.

    Attributes:
        now: UTC epoch seconds.
        resolver: Makes what finds their hosts, and may refuse to; the machine's own where None.
        tls: Makes the TLS context for https, aside; the machine's own trust where None.
        within_s: Longest time for one question.
    """

    now: Callable[[], float]
    resolver: Callable[[], AbstractResolver] | None = None
    tls: Callable[[], ssl.SSLContext] | None = None
    within_s: float = transport.WITHIN_S


async def ask(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    addresses: Sequence[str],
    crls: Sequence[x509.CertificateRevocationList],
    means: Means,
) -> Answer:
    """Ask about a certificate.

    Args:
        certificate: Of a chain that was verified: what an unproven peer shows must not make the
            hub call anybody.
        issuer: The CA that signed it.
        addresses: Of responders, the first that says something counts.
        crls: Revocation lists, in which a responder may stand itself.
        means: See `Means`.

    Raises:
        OcspError: Nothing was learned; of several reasons, the last.
    """
    failed: OcspError = UnansweredError("no responder is known")
    for url in addresses[:MOST_ADDRESSES]:
        try:
            answer = await _ask_one(certificate, issuer, url, crls, means)
        except OcspError as error:
            failed = error
            continue
        if answer.status is not Status.UNKNOWN:
            return answer
        failed = UnansweredError("the responder does not know the certificate")
    raise failed


async def _ask_one(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    url: str,
    crls: Sequence[x509.CertificateRevocationList],
    means: Means,
) -> Answer:
    try:
        return await _asked(question(certificate, issuer), url, crls, means)
    except DeclinedError as error:
        if error.status not in _OTHER_NAME:
            raise
    older = hashes.SHA1()  # noqa: S303 - a name of the CA; nothing is believed by it
    return await _asked(question(certificate, issuer, older), url, crls, means)


async def _asked(
    asked: Question, url: str, crls: Sequence[x509.CertificateRevocationList], means: Means
) -> Answer:
    tls = None
    if means.tls is not None and url.startswith("https:"):
        tls = await asyncio.to_thread(means.tls)  # it reads the machine's roots
    octets = await transport.ask(
        url,
        asked.octets(),
        resolver=None if means.resolver is None else means.resolver(),
        tls=tls,
        within_s=means.within_s,
    )
    return read(octets, asked, means.now(), crls)
