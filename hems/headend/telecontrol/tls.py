"""TLS of telecontrol as IEC 62351-3 has it: both sides prove themselves, with revocation."""

import logging
import ssl
from typing import Final

from cryptography import x509

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.pem import load_into, read_certificates, read_crls, read_identity
from certs.revocation import stamp
from hems.headend.telecontrol.settings import TelecontrolSettings

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_log = logging.getLogger(__name__)


class CentreTls:
    """The context of the door, made anew when a file changes.

    Args:
        settings: Names the files.

    Attributes:
        context: For the next connection.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """

    def __init__(self, settings: TelecontrolSettings) -> None:
        wanted = (settings.certificate, settings.key, settings.roots, settings.crls)
        self._files = [path for path in wanted if path is not None]
        self._seen = [stamp(path) for path in self._files]
        self.context = self._made()

    def refresh(self) -> bool:
        """Read the files again if they changed; returns whether they are used from now on.

        What cannot be used leaves what was there.
        """
        seen = [stamp(path) for path in self._files]
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self.context = self._made()
        except CertificateError as error:
            _log.error("telecontrol's certificates stay as they were: %s", error)
            return False
        return True

    def _made(self) -> ssl.SSLContext:
        certificate, key, roots, crls = self._files
        read_identity(IdentityFiles(certificate, key))  # says what is wrong; OpenSSL does not
        read_certificates(roots)
        read_crls(crls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.set_ciphers(_CIPHERS)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{certificate}: cannot be used: {error}") from error
        load_into(context, roots)
        load_into(context, crls)
        return context


def shown_by(tls: ssl.SSLObject) -> x509.Certificate | None:
    """Return the certificate that a peer has shown; None for none."""
    octets = tls.getpeercert(binary_form=True)
    return None if octets is None else x509.load_der_x509_certificate(octets)
