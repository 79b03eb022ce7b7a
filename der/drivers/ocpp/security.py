"""Who may call: OCPP's security profiles 1 to 3 (2.0.1 part 2, A.1.3; the 1.6 white paper).

1 is a password over plain WebSockets, 2 a password over TLS, 3 a client certificate over TLS that
carries the charger's identity as its common name or as one of its alternative names.
"""

import hmac
import logging
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from der.addresses import CentralSettings, StationAddress
from der.errors import PermanentError
from der.sentence import say

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; forward secrecy and authenticated encryption only."""

Refused = Callable[[str], None]
"""Told in a few words why a TLS handshake failed."""
Certificate = Mapping[str, object]
"""As `ssl.SSLSocket.getpeercert` gives it."""

log = logging.getLogger(__name__)


class _Door(ssl.SSLObject):
    """A TLS connection whose failed handshake is told, and logged once for each reason."""

    _said: Final[set[str]] = set()
    refused: Refused = staticmethod(lambda _: None)

    def do_handshake(self) -> None:
        """Do the handshake; asyncio would drop what went wrong."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            reason = error.reason or type(error).__name__
            words = reason.replace("_", " ").lower()
            self.refused(words)
            if reason not in self._said:
                self._said.add(reason)
                log.warning("OCPP: refused a charger: its TLS handshake failed: %s", words)
            raise


def tls_context(settings: CentralSettings, refused: Refused) -> ssl.SSLContext | None:
    """Return what TLS is served with; None for plain WebSockets.

    Args:
        settings: Certificate and roots.
        refused: Told why a handshake failed.

    Raises:
        PermanentError: A file is missing or holds no certificate or key.
    """
    files = settings.tls
    if files is None:
        return None
    if files.certificate is None:
        raise PermanentError("OCPP central system: TLS needs a certificate of our own")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.sslobject_class = type("_Door", (_Door,), {"refused": staticmethod(refused)})
    try:
        context.load_cert_chain(files.certificate, files.key)
        if settings.client_certificates:
            context.load_verify_locations(files.trust)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"OCPP central system: TLS files cannot be used: {error}") from error
    return context


def refusal(
    address: StationAddress, authorization: str, certificate: Certificate | None, *, named: bool
) -> str | None:
    """Say why a caller is not who it claims to be.

    Args:
        address: The charger that it claims to be.
        authorization: Its HTTP header of this name, "" for none.
        certificate: What it has shown and TLS has verified.
        named: Whether its certificate must name it (security profile 3).

    Returns:
        None for a charger that may come in.
    """
    if named and address.identity not in _names(certificate or {}):
        return say("its certificate is another's")
    if not address.password:
        return None
    expected = b64encode(f"{address.identity}:{address.password}".encode())
    scheme, _, given = authorization.partition(" ")
    right = hmac.compare_digest(given.strip().encode(errors="replace"), expected)
    if scheme.lower() == "basic" and right:
        return None
    return say("a wrong password") if authorization else say("no password")


def _names(certificate: Certificate) -> frozenset[str]:
    """Return the common names and alternative names of a certificate."""
    found: set[str] = set()
    for part in _pairs(certificate.get("subject")):
        found |= {value for key, value in part if key == "commonName"}
    alternatives = certificate.get("subjectAltName")
    if isinstance(alternatives, tuple):
        found |= {value for key, value in alternatives if key in {"DNS", "URI"}}
    return frozenset(found)


def _pairs(subject: object) -> Iterable[Iterable[tuple[str, str]]]:
    return subject if isinstance(subject, tuple) else ()
