"""Certificates, revocation lists and keys in files, and the files of the hub's own key store.

An input is a first octet that says what the file is, and its content.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.errors import CertificateError, PeerError
from certs.keys.envelope import Envelope, decode, encode, labels_of
from certs.pem import read_certificates, read_crls, read_key
from certs.verify import Role, check_peer
from tests.fuzz.parsers.papers import authorities, crls, device, device_key, pem
from tests.fuzz.parsers.parser import Parser, attempt, refused, same

_FOLDER: Final = Path(tempfile.mkdtemp(prefix="fuzz-pem-"))


def examine(data: bytes) -> str:
    """Read a file."""
    head, content = (data[0], data[1:]) if data else (0, b"")
    names = sorted(_READERS)
    return _READERS[names[head % len(names)]](content)


def _certificates(content: bytes) -> str:
    found, words = attempt(lambda: read_certificates(_file(content)), CertificateError)
    if found is None:
        return words
    root = authorities()[0].certificate
    try:
        check_peer((*found, root), Role.CLIENT, crls())
    except PeerError as error:
        return refused(error)
    return words


def _lists(content: bytes) -> str:
    return attempt(lambda: read_crls(_file(content)), CertificateError)[1]


def _key(content: bytes) -> str:
    return attempt(lambda: read_key(_file(content)), CertificateError)[1]


def _envelope(content: bytes) -> str:
    found, words = attempt(lambda: decode(content), ValueError)
    if found is not None:
        same(decode(encode(found)), found, "an envelope written anew")
        same(labels_of(content), (found.label,), "its label")
    return words


def _file(content: bytes) -> Path:
    path = _FOLDER / "file.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    return path


_READERS: Final[Mapping[int, Callable[[bytes], str]]] = {
    0: _certificates,
    1: _lists,
    2: _key,
    3: _envelope,
}


def seeds() -> list[bytes]:
    """Return a file of each kind."""
    root, ca = authorities()
    key = device_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    lists = b"".join(each.public_bytes(Encoding.PEM) for each in crls())
    sealed = encode(Envelope("HEMS SEALED KEY", (b"id", b"", bytes(300))))
    return [
        b"\0" + pem(device()) + pem(ca.certificate),
        b"\0" + pem(root.certificate),
        b"\1" + lists,
        b"\2" + key,
        b"\3" + sealed,
        b"\3" + key,
    ]


WORDS: Final = (
    b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----", b"-----BEGIN X509 CRL-----",
    b"-----END X509 CRL-----", b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN ", b"-----\n",
    b"ENCRYPTED ", b"Proc-Type: 4,ENCRYPTED\n", b"====", b"MIIB",
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS)
