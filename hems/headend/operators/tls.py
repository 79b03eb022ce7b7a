"""TLS of the operator's door: a browser knows the server by name, and proves itself otherwise."""

import logging
import ssl
from typing import Final

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.pem import read_identity
from certs.revocation import stamp
from hems.headend.operators.settings import OperatorsSettings

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_log = logging.getLogger(__name__)


def door_tls(settings: OperatorsSettings | None) -> "DoorTls | None":
    """Return the TLS of the operator's door for other machines; None where there is none.

    Raises:
        CertificateError: Its certificate or key cannot be used.
    """
    if settings is None:
        return None
    return DoorTls(IdentityFiles(settings.certificate, settings.key))


class DoorTls:
    """The context of the door, which takes a renewed certificate for new connections.

    Args:
        identity: The certificate that browsers are shown, and its key.

    Attributes:
        context: For the listener; the same one over all renewals.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """

    def __init__(self, identity: IdentityFiles) -> None:
        self._identity = identity
        self._seen = self._stamps()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self.context.set_ciphers(_CIPHERS)
        self._load()

    def refresh(self) -> None:
        """Read the files again if they changed; what cannot be used leaves what was there."""
        seen = self._stamps()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._load()
        except CertificateError as error:
            _log.error("the certificate of the operator's door stays as it was: %s", error)

    def _load(self) -> None:
        identity = self._identity
        read_identity(identity)  # says what is wrong with the files; OpenSSL does not
        try:
            self.context.load_cert_chain(identity.certificate, identity.key)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{identity.certificate}: cannot be used: {error}") from error

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return stamp(self._identity.certificate), stamp(self._identity.key)
