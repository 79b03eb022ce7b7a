"""`hems pki init`: a test public-key infrastructure on disk."""

from pathlib import Path

from certs.errors import CertificateError
from certs.identity import lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import init_pki
from hems.commands.output import fail


def init(folder: Path) -> int:
    """Make the PKI and say who is in it; returns the exit code."""
    try:
        pki = init_pki(folder)
        hub = read_certificates(pki.identity("hub").certificate)[0]
    except CertificateError as error:
        return fail(str(error))
    own = lfdi(der(hub))
    print(f"{folder}: root, MCA, MICA and operational CA; identities `utility` and `hub`")
    print(f"hub LFDI {own}")
    print(f"hub SFDI {sfdi(own)}")
    return 0
