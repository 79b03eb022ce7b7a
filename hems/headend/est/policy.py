"""What requests for certificates must be like: pure rules (IEEE 2030.5, clause 6.11)."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AttributeOID

from certs.errors import PeerError
from certs.est.request import challenge
from certs.est.roots import signed_by
from certs.est.wire import MOST_REQUEST_OCTETS, out_of_base64
from certs.hwname import HARDWARE_MODULE_NAME, HardwareName, read_hardware_name
from certs.pem import UNREADABLE
from certs.verify import Role, check_peer, hardware_name
from hems.headend.errors import ForbiddenError, RequestError


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a certificate that keeps to the rules.

    Attributes:
        key: The public key.
        mark: SHA-256 of the key, hex: by it one key is told from another.
        name: Which hardware asks; None where it leaves that to the server.
        challenge: Its challengePassword: the connection it was made for; None for none.
    """

    key: ec.EllipticCurvePublicKey
    mark: str
    name: HardwareName | None
    challenge: bytes | None = None


class Standing(Enum):
    """Whose certificate a caller shows."""

    OURS = "ours"
    MANUFACTURER = "manufacturer"


@dataclass(frozen=True, slots=True)
class Shown:
    """A device certificate that a caller shows.

    Attributes:
        standing: Who issued it.
        certificate: It itself.
        name: The hardware that it names.
    """

    standing: Standing
    certificate: x509.Certificate
    name: HardwareName


def judged(body: bytes) -> Request:
    """Read a request and judge it.

    Args:
        body: Base64 of a PKCS #10 request in DER.

    Raises:
        RequestError: It is damaged, or breaks a rule.
    """
    if len(body) > MOST_REQUEST_OCTETS:
        raise RequestError(f"the request is longer than {MOST_REQUEST_OCTETS} octets")
    try:
        request = x509.load_der_x509_csr(out_of_base64(body))
        key, signed = request.public_key(), request.is_signature_valid
        extensions, digest = list(request.extensions), request.signature_hash_algorithm
        subject, attributes = request.subject, list(request.attributes)
    except UNREADABLE as error:
        raise RequestError("the body is no PKCS #10 request in base64") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RequestError("the key of the request is not on curve P-256")
    if not signed:
        raise RequestError("the request is not signed by the key that it names")
    if not isinstance(digest, hashes.SHA256):
        raise RequestError("the request is not signed with SHA-256")
    if subject.rdns:
        raise RequestError("the request names a subject; a device of IEEE 2030.5 has none")
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    mark = hashlib.sha256(octets).hexdigest()
    return Request(key, mark, _name(extensions), _challenge(attributes))


def check_tied(request: Request, binding: bytes | None, *, needed: bool) -> None:
    """Check that a request was made for the connection over which it came (RFC 7030, clause 3.5).

    Whoever holds the key made it then, and now: it is no request of before, sent by another.

    Args:
        request: The request.
        binding: What the connection is known by to both its ends; None where it is by nothing.
        needed: Whether a request must be tied to its connection.

    Raises:
        RequestError: It is tied to another, or to none where it must be.
    """
    if request.challenge is None:
        if needed:
            raise RequestError("the request is not tied to its connection; it must be (RFC 7030)")
        return
    if binding is None or not hmac.compare_digest(request.challenge, challenge(binding)):
        raise RequestError("the request is tied to another connection than this one")


def _challenge(attributes: Sequence[x509.Attribute]) -> bytes | None:
    found = [each.value for each in attributes if each.oid == AttributeOID.CHALLENGE_PASSWORD]
    if len(found) > 1:
        raise RequestError("the request has several challenge passwords")
    return found[0] if found else None


def _name(extensions: Sequence[x509.Extension[x509.ExtensionType]]) -> HardwareName | None:
    name: HardwareName | None = None
    for extension in extensions:
        if not isinstance(extension.value, x509.SubjectAlternativeName):
            raise RequestError(
                f"the request wants extension {extension.oid.dotted_string}; only a "
                "subjectAltName may stand in it"
            )
        names = list(extension.value)
        first = names[0] if names else None
        if (
            len(names) != 1
            or not isinstance(first, x509.OtherName)
            or first.type_id != HARDWARE_MODULE_NAME
        ):
            raise RequestError("the subjectAltName of the request is not one hardwareModuleName")
        try:
            name = read_hardware_name(first.value)
        except ValueError as error:
            raise RequestError(f"the hardwareModuleName is malformed: {error}") from error
    return name


def shown_by(
    chain: Sequence[x509.Certificate],
    ours: Sequence[x509.Certificate],
    makers: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
) -> Shown:
    """Return who shows a certificate that TLS took.

    Args:
        chain: The certificate, its CAs and its root, as OpenSSL built it.
        ours: Our own roots that count.
        makers: The manufacturers' roots.
        crls: Revocation lists.

    Raises:
        ForbiddenError: It breaks a rule of IEEE 2030.5, is revoked, is no device's, or is of a root
            that counts no more; TLS may know that still.
    """
    is_ours = _under(chain[-1], ours)
    if not is_ours and not _under(chain[-1], makers):
        raise ForbiddenError("the certificate that is shown is of a root that counts no more")
    try:
        check_peer(chain, Role.CLIENT, crls)
        name = hardware_name(chain[0])
    except PeerError as error:
        raise ForbiddenError(str(error)) from error
    return Shown(Standing.OURS if is_ours else Standing.MANUFACTURER, chain[0], name)


def _under(last: x509.Certificate, roots: Sequence[x509.Certificate]) -> bool:
    """Return whether a chain ends at one of some roots; of a resumed session it lacks the root."""
    return last in roots or any(signed_by(last, root) for root in roots)
