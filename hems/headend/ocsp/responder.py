"""What is answered to a question about a certificate; no I/O but the CA's own files."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certs.pem import UNREADABLE
from hems.headend.ocsp.delegates import Answerer, Named

MOST_OCTETS: Final = 4096
_NONCES: Final = range(1, 129)
"""Octets of a nonce (RFC 9654, clause 2.1)."""

_Status = ocsp.OCSPResponseStatus


class DeclinedError(Exception):
    """A question that is not answered.

    Attributes:
        status: What is said in place of an answer.
    """

    def __init__(self, status: ocsp.OCSPResponseStatus) -> None:
        super().__init__(status.name.lower().replace("_", " "))
        self.status = status


def declined(status: ocsp.OCSPResponseStatus) -> bytes:
    """Return the answer that there is none, DER; it is not signed (RFC 6960, clause 2.3)."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def answer(
    octets: bytes,
    answerers: Mapping[Named, Answerer],
    knows: Callable[[int], bool],
    now: float,
    lasting: timedelta,
) -> bytes:
    """Answer a question.

    Args:
        octets: It, DER.
        answerers: Who answers for which CA.
        knows: Returns whether these CAs have issued a certificate of a serial number.
        now: UTC epoch seconds.
        lasting: How long the answer holds.

    Returns:
        The answer, DER.

    Raises:
        DeclinedError: It is damaged, too long, about several certificates or about another CA's.
        CertificateError: A file of the CA is missing or damaged.
    """
    if len(octets) > MOST_OCTETS:
        raise DeclinedError(_Status.MALFORMED_REQUEST)
    try:
        asked = ocsp.load_der_ocsp_request(octets)
        nonce = _nonce(asked)
        name = asked.hash_algorithm.name, asked.issuer_name_hash, asked.issuer_key_hash
    except (*UNREADABLE, NotImplementedError) as error:  # it reads one certificate at a time
        raise DeclinedError(_Status.MALFORMED_REQUEST) from error
    if asked.serial_number < 1:
        raise DeclinedError(_Status.MALFORMED_REQUEST)
    found = answerers.get(name)
    if found is None:
        raise DeclinedError(_Status.UNAUTHORIZED)
    at = datetime.fromtimestamp(now, UTC)
    return _signed(asked, nonce, found, knows, now=at, until=at + lasting)


def _nonce(asked: ocsp.OCSPRequest) -> x509.OCSPNonce | None:
    nonce = None
    for each in asked.extensions:
        if isinstance(each.value, x509.OCSPNonce):
            nonce = each.value
            if len(nonce.nonce) not in _NONCES:
                raise DeclinedError(_Status.MALFORMED_REQUEST)
        elif each.critical:
            raise DeclinedError(_Status.MALFORMED_REQUEST)
    return nonce


def _signed(
    asked: ocsp.OCSPRequest,
    nonce: x509.OCSPNonce | None,
    answerer: Answerer,
    knows: Callable[[int], bool],
    *,
    now: datetime,
    until: datetime,
) -> bytes:
    entry = answerer.revoked.entry(asked.serial_number)
    if entry is not None:
        status = ocsp.OCSPCertStatus.REVOKED
    elif knows(asked.serial_number):
        status = ocsp.OCSPCertStatus.GOOD
    else:
        status = ocsp.OCSPCertStatus.UNKNOWN
    delegate = answerer.delegate
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            status,
            now,
            until,
            None if entry is None else entry.revocation_date_utc,
            None if entry is None else _reason(entry),
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, delegate.certificate)
        .certificates([delegate.certificate])
    )
    if nonce is not None:
        builder = builder.add_extension(nonce, critical=False)
    return builder.sign(delegate.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
