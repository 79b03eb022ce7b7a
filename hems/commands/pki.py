"""`hems pki init|renew|signer`: a test public-key infrastructure on disk."""

from pathlib import Path

from certs.cas import CRL_LASTS
from certs.errors import CertificateError
from certs.identity import lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import init_pki, issue_signer, open_pki, renew_crls
from certs.signed import Purpose
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


def renew(folder: Path) -> int:
    """Issue all revocation lists of the PKI again; returns the exit code."""
    try:
        pki = open_pki(folder)
        renew_crls(pki)
    except CertificateError as error:
        return fail(str(error))
    print(f"{pki.trust.crls}: the revocation lists hold for another {CRL_LASTS.days} days")
    return 0


def signer(folder: Path, name: str, purpose: str) -> int:
    """Issue a certificate by which documents of one purpose are signed; returns the exit code."""
    try:
        made = issue_signer(open_pki(folder), name, [Purpose[purpose.upper()]])
    except CertificateError as error:
        return fail(str(error))
    print(f"{made.certificate} and {made.key}: signs what is a {purpose}, and nothing else")
    return 0
