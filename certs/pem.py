"""PEM files in and out: one clear error for each thing that can be wrong with one."""

import os
import ssl
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from certs import own_writes
from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.syncing import sync

_BEGIN_CRL: Final = b"-----BEGIN X509 CRL-----"
_END_CRL: Final = b"-----END X509 CRL-----"

UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises on certificates, lists and requests that cannot be read."""


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, in the file's order, at least one.

    Raises:
        CertificateError: The file is missing, unreadable, garbage or holds no certificate.
    """
    try:
        return x509.load_pem_x509_certificates(_read(path, "certificate"))
    except UNREADABLE as error:
        raise CertificateError(f"{path}: no usable PEM certificate in it") from error


def read_key(path: Path) -> PrivateKeyTypes:
    """Return the private key of a PEM file.

    Raises:
        CertificateError: The file is missing, unreadable, garbage or holds no plain key.
    """
    try:
        return load_pem_private_key(_read(path, "private key"), password=None)
    except TypeError as error:
        raise CertificateError(f"{path}: the private key is encrypted") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{path}: no usable PEM private key in it") from error


def read_signing_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key of a CA.

    Raises:
        CertificateError: As `read_key`, or the key is of another kind.
    """
    key = read_key(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{path}: not an elliptic-curve key")
    return key


def read_crls(path: Path) -> list[x509.CertificateRevocationList]:
    """Return the revocation lists of a PEM file, in the file's order, at least one.

    Raises:
        CertificateError: The file is missing, unreadable, garbage or holds no list.
    """
    blocks = _read(path, "revocation list").split(_BEGIN_CRL)[1:]
    if not blocks:
        raise CertificateError(f"{path}: no PEM revocation list in it")
    try:
        return [
            x509.load_pem_x509_crl(_BEGIN_CRL + block.partition(_END_CRL)[0] + _END_CRL + b"\n")
            for block in blocks
        ]
    except UNREADABLE as error:
        raise CertificateError(f"{path}: a revocation list in it is damaged") from error


def read_identity(files: IdentityFiles) -> list[x509.Certificate]:
    """Return an identity's certificate and its intermediate CAs, the own one first.

    Raises:
        CertificateError: A file is missing or unusable, the key is another certificate's, or
            others than its owner may read it.
    """
    chain = read_certificates(files.certificate)
    if files.keys is None:
        public: object = read_key(files.key).public_key()
        check_private(files.key)
    else:
        public = files.keys.public(files.key)
    if _spki(public) != _spki(chain[0].public_key()):
        raise CertificateError(
            f"{files.key}: the private key does not belong to the certificate in "
            f"{files.certificate}"
        )
    return chain


def write_certificates(path: Path, chain: Sequence[x509.Certificate]) -> None:
    """Write certificates to a PEM file, atomically."""
    write_file(path, b"".join(c.public_bytes(Encoding.PEM) for c in chain), mode=0o644)


def write_crls(path: Path, crls: Sequence[x509.CertificateRevocationList]) -> None:
    """Write revocation lists to a PEM file, atomically."""
    write_file(path, b"".join(c.public_bytes(Encoding.PEM) for c in crls), mode=0o644)


def write_key(path: Path, key: CertificateIssuerPrivateKeyTypes) -> None:
    """Write a private key to a PEM file that only its owner can read, atomically."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_file(path, pem, mode=0o600)


def write_file(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file so that after a power cut it is the old one or the new one, never half.

    Raises:
        CertificateError: The folder cannot be written, or the disk is full.
    """
    try:
        # mkstemp makes it 0600 from the start: a key is at no moment readable by others.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            own_writes.wrote(content)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync(path.parent)  # a rename lasts from here on
    except OSError as error:
        raise CertificateError(f"{path}: cannot be written: {error.strerror}") from error


def der(certificate: x509.Certificate) -> bytes:
    """Return a certificate in DER, as LFDIs are made of."""
    return certificate.public_bytes(Encoding.DER)


def load_into(context: ssl.SSLContext, path: Path) -> None:
    """Add the certificates or revocation lists of a PEM file, read before, to a TLS context.

    Raises:
        CertificateError: OpenSSL cannot use it.
    """
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{path}: cannot be loaded: {error}") from error


def check_private(path: Path) -> None:
    """Refuse a file that others than its owner may read.

    Raises:
        CertificateError: They may, or it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CertificateError(
            f"{path}: others than its owner may read the private key; chmod 600 it"
        )


def _spki(key: object) -> bytes:
    public_bytes = getattr(key, "public_bytes", None)
    if public_bytes is None:
        return b""
    encoded = public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bytes(encoded)


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CertificateError(f"{path}: the {what} file does not exist") from error
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
