"""Why a TLS connection failed, in one sentence for a person: OpenSSL's codes put into words."""

import ssl
from typing import Final

from certs.errors import PeerError, UnsignedError

_VERIFY: Final = {
    2: "its chain is not complete or is of another CA",
    3: "there is no revocation list of one of its CAs",
    9: "it is not yet valid; check the clock",
    10: "it has expired",
    11: "a revocation list is not yet valid; check the clock",
    12: "a revocation list has expired and must be renewed",
    18: "it is self-signed and not trusted",
    19: "its root is not a trusted CA",
    20: "it was issued by a CA that is not trusted",
    21: "it was issued by a CA that is not trusted",
    23: "it has been revoked",
    24: "one of its CAs is not allowed to issue",
    25: "its chain is too long",
    26: "it is not made for this purpose",
    34: "it has a critical extension that is not understood",
    44: "one of its revocation lists is not by its issuer",
}
"""OpenSSL's X509_V_ERR_* codes, about the peer's certificate."""

_REASONS: Final = {
    # What the peer says of us.
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust the CA of our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that our certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the peer says that our certificate has been revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer refused our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer refused our certificate as malformed",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "our certificate is not of a kind that the peer takes",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer wants a client certificate and got none",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "the peer refused the handshake: it got no client certificate, or takes none of our ciphers"
    ),
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer does not take our version of TLS",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "our ciphers are too weak for the peer",
    "SSLV3_ALERT_ILLEGAL_PARAMETER": "the peer refused the curve or key of our certificate",
    "TLSV1_ALERT_ACCESS_DENIED": "the peer denies us access",
    # What we say of the peer.
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer showed no client certificate",
    "NO_SHARED_CIPHER": "the peer offers no cipher of IEEE 2030.5",
    "UNSUPPORTED_PROTOCOL": "the peer offers no version of TLS from 1.2 on",
    "WRONG_VERSION_NUMBER": "the peer does not speak TLS on this port",
    "HTTP_REQUEST": "the peer speaks plain HTTP, not TLS",
    "WRONG_CURVE": "the peer's certificate is not on curve P-256",
    "BAD_ECPOINT": "the peer's key is not on curve P-256",
    "UNEXPECTED_EOF_WHILE_READING": "the peer closed the connection during the handshake",
}


def explain(error: BaseException) -> str:
    """Return one sentence on why a connection failed.

    Args:
        error: An `ssl.SSLError`, or an error of the HTTP library that was caused by one.

    Returns:
        Words without names of functions or codes; OpenSSL's own words where none are known here.
    """
    cause = _innermost(error)
    if isinstance(cause, PeerError | UnsignedError):
        return str(cause)
    # Errors that the HTTP library derives from these classes lack what OpenSSL's own carry.
    code = getattr(cause, "verify_code", None)
    if code is not None:
        what = _VERIFY.get(code, getattr(cause, "verify_message", f"code {code}"))
        return f"the peer's certificate is refused: {what}"
    reason = getattr(cause, "reason", None)
    if isinstance(cause, ssl.SSLError) and isinstance(reason, str):
        return _REASONS.get(reason, f"TLS failed: {reason.replace('_', ' ').lower()}")
    if isinstance(cause, ssl.SSLEOFError | ConnectionResetError | BrokenPipeError):
        return _REASONS["UNEXPECTED_EOF_WHILE_READING"]
    return f"the connection failed: {cause}"


def _innermost(error: BaseException) -> BaseException:
    """Return the TLS or connection error that `error` goes back to; `error` if there is none."""
    found, at = error, error.__cause__ or error.__context__
    while at is not None and not isinstance(found, UnsignedError):  # which says more than OpenSSL
        if isinstance(at, ssl.SSLError | ConnectionResetError | BrokenPipeError):
            found = at
        at = at.__cause__ or at.__context__
    return found
