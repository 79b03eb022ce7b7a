"""The hub's own CA and its page's certificate: made once, kept, renewed while the page is served.

In a folder of their own (0700) are `authority.pem`, the CA's certificate, which phones are asked to
trust; `authority.key`, its key (0600); and `page.pem`, the page's certificate with its key in one
file, so that it is never renewed by half (0600).
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs import page
from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.issue import Authority
from certs.pem import (
    read_identity,
    read_signing_key,
    write_certificates,
    write_file,
    write_key,
)
from hems.lan.names import DOMAIN, all_labels, host_names

_log = logging.getLogger(__name__)

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_AUTHORITY: Final = "authority"


class PageIdentity:
    """What the page shows to browsers on the home's network.

    Attributes:
        context: For the server; new connections get the certificate of the day, open ones stay.
        authority: The CA's certificate.
        left_out: Names that it may not vouch for, because it was made before they were set.
    """

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.context = _context()
        self.authority = authority.certificate
        self.left_out: tuple[str, ...] = ()
        self._signer = authority
        self._file = folder / "page.pem"
        self._shown: x509.Certificate | None = None

    @property
    def shown(self) -> x509.Certificate | None:
        """The certificate that new connections get."""
        return self._shown

    async def follow(self, names: Sequence[str], now: float) -> bool:
        """Have a certificate that holds now and vouches for these names.

        Args:
            names: DNS names and IP addresses.
            now: UTC epoch seconds.

        Returns:
            Whether another one is used from now on.

        Raises:
            CertificateError: It cannot be kept, or not be used.
        """
        wanted = page.covered(self.authority, names)
        self.left_out = tuple(name for name in names if name not in wanted)
        at = datetime.fromtimestamp(now, UTC)
        if self._shown is None:
            self._take_up()
        if self._shown is not None and not page.due(self._shown, wanted, at):
            return False
        await asyncio.to_thread(self._renew, wanted, at)
        self._use()
        return True

    def _take_up(self) -> None:
        """Use the certificate that is kept, if there is a good one."""
        try:
            self._use()
        except CertificateError as error:
            if self._file.exists():
                _log.warning("the page's certificate is made anew: %s", error)

    def _renew(self, names: Sequence[str], at: datetime) -> None:
        made = page.issue_page(self._signer, names, at)
        key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_file(self._file, made.certificate.public_bytes(Encoding.PEM) + key, mode=0o600)

    def _use(self) -> None:
        certificate = read_identity(IdentityFiles(self._file, self._file))[0]
        try:
            certificate.verify_directly_issued_by(self.authority)
        except (ValueError, InvalidSignature) as error:
            raise CertificateError(f"{self._file}: another authority has issued it") from error
        try:
            self.context.load_cert_chain(self._file)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{self._file}: cannot be used: {error}") from error
        self._shown = certificate


def open_identity(folder: Path, machine: str, extra: Sequence[str], mark: str) -> PageIdentity:
    """Return the page's identity; its CA is made if there is none yet.

    Args:
        folder: Where it is kept; made if it is not there.
        machine: The machine's host name.
        extra: Names of the configuration.
        mark: What tells this hub's CA from another's, where one has to be made.

    Raises:
        CertificateError: The folder cannot be used, or what is in it is damaged: it is left as it
            is, for phones trust it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CertificateError(f"{folder}: cannot be made: {error.strerror}") from error
    certificate, key = folder / f"{_AUTHORITY}.pem", folder / f"{_AUTHORITY}.key"
    if not certificate.exists():
        names = [f"{label}.{DOMAIN}" for label in all_labels()]
        made = page.issue_authority(mark, [*names, *host_names(machine), *extra])
        write_key(key, made.key)  # the key first: a certificate without one could not be mended
        write_certificates(certificate, [made.certificate])
    own = read_identity(IdentityFiles(certificate, key))[0]
    return PageIdentity(folder, Authority(own, read_signing_key(key)))


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    return context
