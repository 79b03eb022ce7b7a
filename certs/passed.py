"""A chain that somebody else's TLS has seen, and OpenSSL here has not: a proxy passed it on.

What OpenSSL does in a handshake is done here, by the rules of a context (`certs.rules`): a path to
a trusted root, who may issue, and a list of each CA that its own key has signed. That the client
holds the key is the proxy's word.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtensionOID

from certs.errors import PeerError
from certs.pem import UNREADABLE
from certs.rules import Rules
from certs.verify import holder

_MOST_ISSUERS: Final = 4
"""Root, MCA, MICA and one more."""
_SKEW: Final = timedelta(minutes=5)
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
"""Critical extensions that somebody here looks at."""


def check_passed(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    rules: Rules,
    now: float,
) -> float:
    """Check a client's certificate as a handshake would.

    Args:
        leaf: The certificate.
        others: CAs that may stand between it and a root; nothing in them is believed.
        rules: Of the server.
        now: UTC epoch seconds.

    Returns:
        UTC epoch seconds until which that holds, if nothing new is learned.

    Raises:
        PeerError: It is not trusted; the message names the certificate and why.
    """
    try:
        chain = _path(leaf, others, rules.roots)
        for below, issuer in enumerate(chain[1:]):
            _check_authority(issuer, below)
        for each in chain:
            _check_extensions(each)
        judged = replace(rules, crls=_signed_lists(chain, rules.crls, now))
        judged.check(chain, now)
        ends = judged.check_standing(chain, now)
    except PeerError:  # a ValueError as well, by way of `ssl`
        raise
    except UNREADABLE as error:  # the library reads a certificate's parts when they are asked for
        raise PeerError("a certificate that was passed on is damaged") from error
    return min(ends, *(each.not_valid_after_utc.timestamp() for each in chain))


def _path(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
) -> list[x509.Certificate]:
    """Return the certificate, its issuers in turn, and a trusted root."""
    chain = [leaf]
    while len(chain) <= _MOST_ISSUERS:
        last = chain[-1]
        root = next((each for each in roots if _issued(last, each)), None)
        if root is not None:
            return [*chain, root]
        between = (each for each in others if each not in chain and _issued(last, each))
        issuer = next(between, None)
        if issuer is None:
            raise PeerError(f"the certificate of {holder(last)} is of no CA that is known here")
        chain.append(issuer)
    raise PeerError(f"too many CAs stand above the certificate of {holder(leaf)}")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_authority(issuer: x509.Certificate, below: int) -> None:
    """Check that a certificate may issue, with so many CAs below it (RFC 5280, clause 6.1.4)."""
    extensions = issuer.extensions
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise PeerError(f"the certificate of {holder(issuer)} may not issue others") from None
    if not basic.ca or not usage.key_cert_sign:
        raise PeerError(f"the certificate of {holder(issuer)} may not issue others")
    if basic.path_length is not None and basic.path_length < below:
        raise PeerError(f"too many CAs stand below {holder(issuer)}")


def _check_extensions(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise PeerError(
                f"the certificate of {holder(certificate)} has a critical extension that is not "
                f"understood here: {extension.oid.dotted_string}"
            )


def _signed_lists(
    chain: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    now: float,
) -> Sequence[x509.CertificateRevocationList]:
    """Return the lists that the chain's own CAs have signed; all others vouch for nothing."""
    latest = datetime.fromtimestamp(now, UTC) + _SKEW
    return [
        crl
        for crl in crls
        if crl.last_update_utc <= latest
        and not any(extension.critical for extension in crl.extensions)
        and any(_signed(crl, issuer) for issuer in chain[1:])
    ]


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    if crl.issuer != issuer.subject or not usage.crl_sign:
        return False
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # it says so
    except (TypeError, ValueError):  # a key that signs no lists, or a damaged signature
        return False
