"""What a responder answers, checked before anything of it is believed; pure.

An answer counts where it is signed by the CA of the certificate itself, or by somebody to whom that
CA has given a certificate for this one purpose (RFC 6960, clause 4.2.2.2); nobody else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.ocsp.errors import DeclinedError, UnbelievedError
from certs.ocsp.question import Question, named
from certs.pem import UNREADABLE
from certs.verify import revoked

MOST_OCTETS: Final = 16 * 1024
TOLERANCE: Final = timedelta(minutes=5)
"""By so much the responder's clock and the hub's may differ."""
LONGEST: Final = timedelta(days=7)
"""An answer holds no longer than this, whatever its nextUpdate."""
UNDATED: Final = timedelta(days=1)
"""One without a nextUpdate holds for so long after its thisUpdate."""

_NONCES: Final = range(1, 129)
"""Octets of a nonce (RFC 9654, clause 2.1)."""
_DIGESTS: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class Status(Enum):
    """What a responder says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """It knows nothing of it: nothing was learned."""


_STATUSES: Final = {
    ocsp.OCSPCertStatus.GOOD: Status.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Status.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is believed.

    Attributes:
        status: What it says.
        at: When the responder knew it to be so, UTC epoch seconds.
        until: Until when it holds, likewise.
    """

    status: Status
    at: float
    until: float


def read(
    octets: bytes,
    asked: Question,
    now: float,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> Answer:
    """Check an answer and return what it says.

    Args:
        octets: It in DER.
        asked: What was asked.
        now: UTC epoch seconds.
        crls: Revocation lists, in which a responder may stand that does not say that it is not to
            be asked about itself (ocsp-nocheck).

    Raises:
        DeclinedError: It says that there is none.
        UnbelievedError: It is not to be believed.
    """
    if len(octets) > MOST_OCTETS:
        raise UnbelievedError(f"the answer is longer than {MOST_OCTETS} octets")
    try:
        answer = ocsp.load_der_ocsp_response(octets)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise DeclinedError(answer.response_status)
        single = _single(answer, asked)
        _check_extensions([*answer.extensions, *answer.single_extensions], asked)
        _check_signature(answer, asked.issuer, datetime.fromtimestamp(now, UTC), crls)
        return _in_time(single, datetime.fromtimestamp(now, UTC))
    except UNREADABLE as error:
        raise UnbelievedError("the answer is damaged") from error


def _single(answer: ocsp.OCSPResponse, asked: Question) -> ocsp.OCSPSingleResponse:
    """Return the one statement of an answer, if it is about what was asked."""
    singles = list(answer.responses)
    if len(singles) != 1:
        raise UnbelievedError(f"the answer is about {len(singles)} certificates, not one")
    single = singles[0]
    name, key = asked.names
    if single.serial_number != asked.certificate.serial_number:
        raise UnbelievedError("the answer is about another certificate")
    if (
        single.hash_algorithm.name != asked.digest.name
        or single.issuer_name_hash != name
        or single.issuer_key_hash != key
    ):
        raise UnbelievedError("the answer is about another CA's certificate")
    return single


def _check_extensions(
    extensions: Sequence[x509.Extension[x509.ExtensionType]], asked: Question
) -> None:
    """Check a nonce, if there is one: many responders make their answers beforehand, without."""
    for each in extensions:
        if isinstance(each.value, x509.OCSPNonce):
            if len(each.value.nonce) not in _NONCES or each.value.nonce != asked.nonce:
                raise UnbelievedError("the answer is to another question: its nonce differs")
        elif each.critical:
            raise UnbelievedError(
                "the answer has a critical extension that nobody here understands: "
                f"{each.oid.dotted_string}"
            )


def _check_signature(
    answer: ocsp.OCSPResponse,
    issuer: x509.Certificate,
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList],
) -> None:
    digest = answer.signature_hash_algorithm
    if not isinstance(digest, _DIGESTS):
        raise UnbelievedError("the answer is not signed with SHA-256 or better")
    for signer in _signers(answer, issuer):
        key = signer.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            continue
        try:
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(digest))
        except InvalidSignature:
            continue
        if signer is not issuer:
            _check_delegate(signer, issuer, at, crls)
        return
    raise UnbelievedError("the answer is not signed by the certificate's CA or for it")


def _signers(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    """Yield who may have signed an answer by the name that it gives of its responder."""
    for each in (issuer, *answer.certificates):
        if answer.responder_name is not None:
            if each.subject == answer.responder_name:
                yield each
        elif named(each, hashes.SHA1())[1] == answer.responder_key_hash:  # noqa: S303 - a name
            yield each


def _check_delegate(
    signer: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList],
) -> None:
    """Check that the CA itself has given somebody the right to answer for it, until now."""
    try:
        signer.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise UnbelievedError("the answer's signer is not of the certificate's CA") from error
    extensions = signer.extensions
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        purposes = x509.ExtendedKeyUsage([])
    if ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
        raise UnbelievedError("the answer's signer may not answer for its CA")
    begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
    if not begins - TOLERANCE <= at <= ends + TOLERANCE:
        raise UnbelievedError("the certificate of the answer's signer does not hold now")
    # It is not asked about in turn: who says ocsp-nocheck lives shortly, the others are looked up.
    if revoked(signer, crls):
        raise UnbelievedError("the certificate of the answer's signer is revoked")


def _in_time(single: ocsp.OCSPSingleResponse, now: datetime) -> Answer:
    at = single.this_update_utc
    until = single.next_update_utc or at + UNDATED
    if at > now + TOLERANCE:
        raise UnbelievedError(
            f"the answer is of {at:%Y-%m-%d %H:%M}Z, which by this hub's clock is to come"
        )
    if until < now - TOLERANCE:
        raise UnbelievedError(f"the answer held until {until:%Y-%m-%d %H:%M}Z only")
    held = min(until, now + LONGEST)
    return Answer(_STATUSES[single.certificate_status], at.timestamp(), held.timestamp())
