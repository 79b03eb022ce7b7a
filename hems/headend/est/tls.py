"""TLS of the EST server: a client may show a certificate, ours or a manufacturer's, or none."""

import ssl
from collections.abc import Sequence
from pathlib import Path

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.pem import load_into, read_certificates, read_identity


def est_context(identity: IdentityFiles, roots: Sequence[Path]) -> ssl.SSLContext:
    """Return the context of the EST server.

    A certificate that is shown must hold and end at one of the roots; what more it must be,
    `hems.headend.est.policy` says, and revocation is looked up there, for manufacturers' lists
    may not be at hand.

    Args:
        identity: The server's certificate, which names the host that homes reach it at.
        roots: PEM files of our own root and the manufacturers'.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """
    read_identity(identity)  # says what is wrong with the files; OpenSSL does not
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # TLS 1.2, for under 1.3 a client whose certificate is refused may not read why.
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_ecdh_curve("prime256v1")
    try:
        context.load_cert_chain(identity.certificate, identity.key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{identity.certificate}: cannot be used: {error}") from error
    for path in roots:
        read_certificates(path)
        load_into(context, path)
    return context
