"""Whether a manifest counts: who signed it, for when it is, and whether a newer one was in use."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.manifest.manifest import Manifest, ManifestError, read_manifest
from certs.signed import MOST_OCTETS, Purpose, SignatureError, sign_document, verify_document

_SKEW_S: Final = 300.0
"""Clocks of who signs and who checks may differ by so much."""


def sign_manifest(
    manifest: Manifest, key: ec.EllipticCurvePrivateKey, chain: Sequence[x509.Certificate]
) -> bytes:
    """Return a manifest with its signature.

    Args:
        manifest: What is approved.
        key: The provider's.
        chain: Its certificate and the CAs above it, without the root.

    Raises:
        SignatureError: The certificate is not made for this.
    """
    return sign_document(manifest.canonical(), Purpose.MANIFEST, key, chain)


def check_manifest(
    path: Path,
    roots: Sequence[x509.Certificate],
    now: float,
    *,
    least: int = 0,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> Manifest:
    """Return a manifest that counts.

    Args:
        path: Where it is.
        roots: The providers that are believed.
        now: UTC epoch seconds.
        least: Number of the newest manifest that was in use before.
        crls: Revocation lists: where there are any, each certificate must stand under its issuer's.

    Raises:
        ManifestError: It does not count; the message names the file and why.
    """
    try:
        signed = verify_document(_read(path), Purpose.MANIFEST, roots, now, crls, listed=bool(crls))
    except SignatureError as error:
        raise ManifestError(f"{path}: {error}") from error
    manifest = read_manifest(signed.body, path)
    if manifest.canonical() != signed.body:
        raise ManifestError(f"{path}: is not written in the one way that a manifest is")
    if now < manifest.valid_from - _SKEW_S:
        raise ManifestError(f"{path}: does not count before {_day(manifest.valid_from)}")
    if now > manifest.valid_until:
        raise ManifestError(f"{path}: has counted until {_day(manifest.valid_until)}")
    if manifest.number < least:
        raise ManifestError(
            f"{path}: is number {manifest.number}, but number {least} has been in use already"
        )
    return manifest


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
