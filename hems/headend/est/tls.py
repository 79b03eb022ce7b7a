"""TLS of the EST server: a client may show a certificate, ours or a manufacturer's, or none."""

import logging
import ssl
from collections.abc import Sequence
from pathlib import Path

from certs.errors import CertificateError
from certs.explain import explain
from certs.identity import IdentityFiles
from certs.pem import load_into, read_certificates, read_identity
from certs.revocation import stamp

_log = logging.getLogger(__name__)


class _Door(ssl.SSLObject):
    """A connection whose failed handshake is said, for the event loop drops it in silence."""

    def do_handshake(self) -> None:
        """Do the handshake."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            _log.warning("EST: a TLS handshake failed: %s", explain(error))
            raise


class EstTls:
    """The context of the EST server, and what it is made of.

    A certificate that is shown must hold and end at one of the roots; what more it must be,
    `hems.headend.est.policy` says, and revocation is looked up there, for manufacturers' lists
    may not be at hand.

    Args:
        identity: The server's certificate, which names the host that homes reach it at.
        roots: PEM files of our own roots and the manufacturers'.

    Attributes:
        context: For the listener; the same one over all renewals.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """

    def __init__(self, identity: IdentityFiles, roots: Sequence[Path]) -> None:
        self._identity = identity
        self._roots = roots
        self._seen = self._stamps()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # TLS 1.2, for under 1.3 a client whose certificate is refused may not read why, and
        # requests cannot be tied to their connection.
        self.context.minimum_version = self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.set_ecdh_curve("prime256v1")
        self.context.sslobject_class = _Door
        self._load()

    def refresh(self) -> None:
        """Read again what changed, for new handshakes; what cannot be used leaves the rest."""
        seen = self._stamps()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._load()
        except CertificateError as error:
            _log.error("the EST server's certificate and roots stay as they were: %s", error)

    def _load(self) -> None:
        identity = self._identity
        read_identity(identity)  # says what is wrong with the files; OpenSSL does not
        try:
            self.context.load_cert_chain(identity.certificate, identity.key)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{identity.certificate}: cannot be used: {error}") from error
        for path in self._roots:
            read_certificates(path)
            load_into(self.context, path)

    def _stamps(self) -> Sequence[tuple[int, int, int] | None]:
        own = (self._identity.certificate, self._identity.key)
        return [stamp(each) for each in (*own, *self._roots)]
