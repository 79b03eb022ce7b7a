"""What a utility answers an enrolment with: certificates, revocation lists, its server's address.

It is PEM: one file or several, in any order, each part told by what it is. Lines of text between
the parts may say more ("Server: https://...", "PIN: 111115", "Edition: csip-aus").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from certs.errors import CertificateError
from certs.identity import IdentityFiles, Trust
from certs.pem import read_signing_key, write_certificates, write_crls, write_key
from certs.tls import client_context
from der.sentence import say
from hems.settings.settings_file import Table
from hems.setup.identity import KeyRing

_PART: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n.*?-----END \1-----", re.DOTALL)
_LINE: Final = re.compile(r"^\s*(server|pin|edition)\s*:\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
EDITIONS: Final = ("csip-aus", "csip", "2018", "2023")
_LONGEST_CHAIN: Final = 6


class EnrolmentError(Exception):
    """What was given does not enrol this home; `str()` says why, for the owner."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What was given.

    Attributes:
        certificates: In the order given.
        crls: Revocation lists.
        key: A key made by the utility; None where the hub's own is meant.
        server: Its address; empty for one to be found on the network.
        pin: Registration PIN, where the utility sets it; empty for the hub's own.
        edition: What its server speaks; empty if it does not say.
    """

    certificates: tuple[x509.Certificate, ...]
    crls: tuple[x509.CertificateRevocationList, ...]
    key: ec.EllipticCurvePrivateKey | None = None
    server: str = ""
    pin: str = ""
    edition: str = ""


def read(content: bytes) -> Enrolment:
    """Read what was given.

    Raises:
        EnrolmentError: A part of it is damaged, or of a kind that does not belong there.
    """
    certificates, crls = [], []
    key: ec.EllipticCurvePrivateKey | None = None
    for part in _PART.finditer(content):
        kind, pem = part[1].decode(), part[0] + b"\n"
        try:
            if kind == "CERTIFICATE":
                certificates.append(x509.load_pem_x509_certificate(pem))
            elif kind == "X509 CRL":
                crls.append(x509.load_pem_x509_crl(pem))
            elif kind in {"PRIVATE KEY", "EC PRIVATE KEY"}:
                key = _key(pem)
            else:
                raise EnrolmentError(say("A part of kind {kind} does not belong here.", kind=kind))
        except (ValueError, TypeError) as error:
            raise EnrolmentError(say("A part of kind {kind} is damaged.", kind=kind)) from error
    text = _PART.sub(b"", content).decode("utf-8", "replace")
    said = {name.lower(): value for name, value in _LINE.findall(text)}
    edition = said.get("edition", "").lower()
    if edition and edition not in EDITIONS:
        raise EnrolmentError(say("The edition {edition} is not known here.", edition=edition))
    return Enrolment(
        tuple(certificates),
        tuple(crls),
        key,
        said.get("server", ""),
        said.get("pin", ""),
        edition,
    )


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolmentError(say("The key is not an elliptic-curve key."))
    return key


def chain_of(
    given: Enrolment, own: ec.EllipticCurvePrivateKey
) -> tuple[Sequence[x509.Certificate], Sequence[x509.Certificate]]:
    """Return the hub's chain, its own certificate first, and the roots that are trusted.

    Args:
        given: What the utility answered with.
        own: The hub's key.

    Raises:
        EnrolmentError: A part is missing, or is another home's.
    """
    roots = [each for each in given.certificates if _signed_by(each, each)]
    others = [each for each in given.certificates if each not in roots]
    mine = _spki(own)
    leaf = next((each for each in others if _spki(each) == mine), None)
    if not given.certificates:
        raise EnrolmentError(say("There is no certificate in what was given."))
    if leaf is None:
        raise EnrolmentError(
            say("No certificate in it is for this hub's key; was it issued for another request?")
        )
    if not roots:
        raise EnrolmentError(say("The root certificate of the utility is missing."))
    if not given.crls:
        raise EnrolmentError(say("The utility's revocation lists are missing."))
    chain = [leaf]
    while len(chain) < _LONGEST_CHAIN:
        issuer = next((each for each in others if _signed_by(chain[-1], each)), None)
        if issuer is None or issuer in chain:
            break
        chain.append(issuer)
    return chain, roots


def install(ring: KeyRing, given: Enrolment, server: str, pin: str, edition: str) -> Table:
    """Keep what a utility answered with; return the section of the settings that uses it.

    Nothing that is in use is touched: it goes into a folder of its own.

    Args:
        ring: The hub's keys.
        given: What the utility answered with.
        server: Its server's address; empty for what the answer says, or else the network.
        pin: The PIN; empty for what the answer says, or else the hub's own.
        edition: What its server speaks; empty for what the answer says.

    Raises:
        EnrolmentError: A part is missing, or is another home's.
        CertificateError: It cannot be kept or used.
    """
    own = given.key or read_signing_key(ring.key)
    chain, roots = chain_of(given, own)
    folder = ring.next_folder()
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise CertificateError(f"{folder}: cannot be made: {error.strerror}") from error
    files = IdentityFiles(folder / "certificate.pem", folder / "hub.key")
    trust = Trust(folder / "roots.pem", folder / "crls.pem")
    write_key(files.key, own)
    write_certificates(files.certificate, chain)
    write_certificates(trust.roots, roots)
    write_crls(trust.crls, given.crls)
    client_context(files, trust)  # says now what is wrong with them
    section: Table = {
        "certificate": _from(ring.home, files.certificate),
        "key": _from(ring.home, files.key),
        "trust": _from(ring.home, trust.roots),
        "crls": _from(ring.home, trust.crls),
        "pin": pin or given.pin or ring.pin(),
        "edition": edition or given.edition or EDITIONS[0],
    }
    address = server or given.server
    return {"url": address, **section} if address else section


def _from(home: Path, path: Path) -> str:
    return str(path.relative_to(home))


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _spki(holder: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    public = holder.public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
