"""A hub's enrolment at an EST server: trust, request, certificate; and its renewal.

Nothing is trusted at first sight: the root must be the one that the enrolment code names, the
server must stand under it by its own name, and only then does it get the secret.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.est.answer import Issued, checked, good_lists, pinned_root
from certs.est.code import EnrolmentCode
from certs.est.errors import EstError, Fault, WaitError
from certs.est.request import request_body
from certs.est.roots import Anchors, learned, spent
from certs.est.transport import Answered, ask, trusting, unverified
from certs.est.wire import (
    ATTRIBUTES_TYPE,
    CERTS_ONLY,
    CRLS_ONLY,
    PKCS10_TYPE,
    read_certs_only,
    read_crls_only,
    read_wishes,
)
from certs.hwname import HardwareName
from certs.identity import IdentityFiles

DCAP_RELATION: Final = "urn:ieee:std:2030.5:ns#DeviceCapability"
"""Relation of the Link header in which a server says where its IEEE 2030.5 server is."""

_CLOCK_OFF_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who the hub is by a certificate that it holds: its manufacturer's, or the present one.

    Attributes:
        identity: The certificate and its key.
        name: The hardware that the certificate names.
    """

    identity: IdentityFiles
    name: HardwareName


async def trust(code: EnrolmentCode, now: Callable[[], float]) -> Issued:
    """Return the root that a code names, what it vouches for, its CAs and their revocation lists.

    Args:
        code: The enrolment code.
        now: UTC epoch seconds.

    Returns:
        What is trusted; its chain holds the CAs, no certificate of the hub yet.

    Raises:
        EstError: The server is not the one, or cannot be asked.
    """
    first = await ask(code.authority, "cacerts", unverified(), kind=CERTS_ONLY)
    given = read_certs_only(first.body)
    pinned = Anchors((pinned_root(given, code.fingerprint),))
    try:
        return await _with_lists(code.authority, pinned, given, now())
    except EstError as error:
        raise _of_clock(error, first, now()) from error


async def enrol(
    code: EnrolmentCode,
    key: ec.EllipticCurvePrivateKey,
    maker: Holder | None,
    now: Callable[[], float],
) -> Issued:
    """Get a certificate.

    Asked again with the same key, the server gives the same certificate: an answer that was lost
    costs nothing.

    Args:
        code: The enrolment code.
        key: The hub's key, P-256.
        maker: Who the hub is by its manufacturer; None where the code's secret says enough.
        now: UTC epoch seconds.

    Raises:
        EstError: No certificate was got.
        WaitError: The utility decides later.
    """
    if not code.secret and maker is None:
        raise EstError(
            Fault.CODE, "this enrolment code is for hubs with a manufacturer's certificate"
        )
    trusted = await trust(code, now)
    shown = None if maker is None else maker.identity
    # Aside, like whatever may ask a key store: that takes its time.
    context = await asyncio.to_thread(trusting, trusted.roots, trusted.crls, shown)
    wishes = read_wishes(
        (await ask(code.authority, "csrattrs", context, kind=ATTRIBUTES_TYPE)).body
    )
    name = None if maker is None else maker.name
    answer = await ask(
        code.authority,
        "simpleenroll",
        context,
        kind=CERTS_ONLY,
        body=lambda binding: request_body(key, name, wishes, binding),
        sent=PKCS10_TYPE,
        password=code.password,
    )
    return _issued(answer, key, trusted, name, now())


async def renew(
    authority: str,
    trusted: Issued,
    present: Holder,
    key: ec.EllipticCurvePrivateKey,
    now: Callable[[], float],
) -> Issued:
    """Get a certificate in the place of one that holds still.

    Args:
        authority: HOST:PORT of the server.
        trusted: Its roots, and the CAs and revocation lists known so far.
        present: Who the hub is by the certificate that holds.
        key: The key of the new one.
        now: UTC epoch seconds.

    Raises:
        EstError: No certificate was got.
        WaitError: The utility decides later.
    """
    known = await fresh(authority, trusted, now())
    context = await asyncio.to_thread(trusting, known.roots, known.crls, present.identity)
    wishes = read_wishes((await ask(authority, "csrattrs", context, kind=ATTRIBUTES_TYPE)).body)
    answer = await ask(
        authority,
        "simplereenroll",
        context,
        kind=CERTS_ONLY,
        body=lambda binding: request_body(key, present.name, wishes, binding),
        sent=PKCS10_TYPE,
    )
    return _issued(answer, key, known, present.name, now())


async def fresh(authority: str, trusted: Issued, now: float) -> Issued:
    """Return what is trusted with the roots, CAs and revocation lists of today.

    A new root is believed for the signature of one that is believed already (`certs.est.roots`).

    Args:
        authority: HOST:PORT of the server.
        trusted: What is trusted so far; its chain holds the CAs that are known.
        now: UTC epoch seconds.

    Raises:
        EstError: They cannot be got.
    """
    # By their signatures, not by the lists held so far: those may have run out meanwhile.
    plain = trusting(trusted.roots, ())
    given = read_certs_only((await ask(authority, "cacerts", plain, kind=CERTS_ONLY)).body)
    return await _with_lists(authority, trusted.anchors, (*given, *trusted.chain), now)


async def _with_lists(
    authority: str, held: Anchors, given: Sequence[x509.Certificate], now: float
) -> Issued:
    """Return what is trusted by roots that are believed and what a server says its CAs are."""
    at = datetime.fromtimestamp(now, UTC)
    # The server may stand under any root that is vouched for; whether such a voucher was taken
    # back the lists say, and then nothing is believed that rests on it alone.
    likely = learned(held, given, (), at)
    answer = await ask(authority, "crls", trusting(likely.roots, ()), kind=CRLS_ONLY)
    lists = read_crls_only(answer.body)
    anchors = learned(held, given, good_lists(lists, given, likely.roots), at)
    others = tuple(
        each
        for each in dict.fromkeys(given)
        if each not in anchors.roots and not spent(each, given, at)
    )
    return Issued(others, anchors, good_lists(lists, others, anchors.roots))


async def prove(authority: str, issued: Issued, identity: IdentityFiles) -> None:
    """Show a new certificate to its server, before it takes the place of another.

    Raises:
        EstError: The server does not take it.
    """
    context = await asyncio.to_thread(trusting, issued.roots, issued.crls, identity)
    await ask(authority, "csrattrs", context, kind=ATTRIBUTES_TYPE)


async def waited(get: Callable[[], Awaitable[Issued]], within_s: float) -> Issued:
    """Ask until the utility has decided.

    Args:
        get: Asks once.
        within_s: For so long.

    Raises:
        EstError: No certificate was got within the time.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while True:
        try:
            return await get()
        except WaitError as error:
            again = loop.time() + max(1.0, error.again_s)
            if again > until:
                raise
            await asyncio.sleep(again - loop.time())


def _issued(
    answer: Answered,
    key: ec.EllipticCurvePrivateKey,
    trusted: Issued,
    name: HardwareName | None,
    now: float,
) -> Issued:
    given: tuple[x509.Certificate, ...] = tuple(read_certs_only(answer.body))
    chain = checked(given, key, trusted, name, now)
    dcap, edition = answer.links.get(DCAP_RELATION, ("", ""))
    return Issued(chain, trusted.anchors, trusted.crls, dcap, edition)


def _of_clock(error: EstError, first: Answered, now: float) -> EstError:
    """Say what is wrong with the clock, if that is why the server's certificate does not hold."""
    if error.fault is not Fault.CLOCK or first.at is None:
        return error
    if abs(first.at - now) < _CLOCK_OFF_S:
        return error
    mine, theirs = datetime.fromtimestamp(now, UTC), datetime.fromtimestamp(first.at, UTC)
    return EstError(
        Fault.CLOCK,
        f"the clock of this hub says {mine:%Y-%m-%d %H:%M}Z, the server's {theirs:%Y-%m-%d %H:%M}Z",
    )
