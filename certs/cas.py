"""The CAs of a PKI at work: they sign by their key store, and keep their revocation lists."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from certs import issue
from certs.ca_files import CaFiles, Signer
from certs.errors import PkiError
from certs.issue import Authority, Validity
from certs.ocsp.issued import responder
from certs.pem import read_certificates, read_crls, write_certificates, write_crls

CRL_LASTS: Final = timedelta(days=365)


def new_authority(
    ca: CaFiles,
    name: str,
    common_name: str,
    validity: Validity,
    *,
    issuer: Authority | None = None,
    path_length: int,
    generation: int = 1,
) -> Authority:
    """Make the key and the certificate of a CA, and keep them.

    Raises:
        CertificateError: The key store cannot make the key, or a file cannot be written.
    """
    key, keys = ca.key(name, generation), ca.keys
    keys.make(key)
    made = issue.issue_authority(
        common_name,
        validity,
        issuer=issuer,
        path_length=path_length,
        key=keys.signer(key),
        ocsp=responder(ca.folder),
    )
    write_certificates(ca.certificate(name, generation), [made.certificate])
    return made


def authority(ca: CaFiles, name: str, generation: int | None = None) -> Authority:
    """Return a CA, which signs by its key store.

    Args:
        ca: The files of all of them.
        name: Which.
        generation: Under which root; the one in use where None.

    Raises:
        CertificateError: A file is missing or damaged.
    """
    number = ca.in_use if generation is None else generation
    certificate = read_certificates(ca.certificate(name, number))[0]
    return Authority(certificate, ca.keys.signer(ca.key(name, number)))


def issued_by(ca: CaFiles, signer: Signer, certificate: x509.Certificate) -> bool:
    """Return whether a CA has issued a certificate.

    Raises:
        CertificateError: A file is missing or damaged.
    """
    issuer = read_certificates(ca.certificate(*signer))[0]
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def renew_crl(
    ca: CaFiles,
    signer: Signer,
    revoked: Sequence[x509.RevokedCertificate],
    now: datetime,
    old: x509.CertificateRevocationList | None,
) -> None:
    """Write a new revocation list of one CA.

    Raises:
        CertificateError: The key store cannot sign, or the file cannot be written.
    """
    crl = issue.issue_crl(authority(ca, *signer), revoked, now, CRL_LASTS, previous=old)
    write_crls(ca.crl(*signer), [crl])


def join_crls(ca: CaFiles, path: Path) -> None:
    """Write the revocation lists of all CAs into one file.

    Raises:
        CertificateError: One of them is missing or damaged, or the file cannot be written.
    """
    write_crls(path, [read_crls(ca.crl(*each))[0] for each in ca.signers])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep two commands from each writing a list that forgets the other's revocation.

    Raises:
        PkiError: The PKI cannot be written.
    """
    try:
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise PkiError(f"{folder}: not a PKI that can be written: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
