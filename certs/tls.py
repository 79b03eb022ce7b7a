"""TLS contexts of IEEE 2030.5 for both sides, on the standard library's `ssl` (aiohttp's own).

Each connection of such a context is checked twice: by OpenSSL (chain, dates, revocation) and then
by `certs.verify` (P-256, purpose, policies, name), inside the handshake, so that no caller can
forget the second. A connection that is open when new revocation lists are read is checked again
before the next octet goes over it: peers talk over one connection for days.
"""

import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509

from certs.errors import CertificateError, PeerError
from certs.explain import explain
from certs.identity import IdentityFiles, Trust
from certs.pem import load_into, read_certificates, read_crls, read_identity
from certs.verify import Role, check_peer, peer_chain

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_LOG = logging.getLogger(__name__)

_Crls = Sequence[x509.CertificateRevocationList]

_GCM: Final = "ECDHE-ECDSA-AES128-GCM-SHA256"
_CCM8: Final = "ECDHE-ECDSA-AES128-CCM8"
"""Mandatory in 2030.5; second choice here, because its tag has only 64 bits."""

_GOOD_LEVEL: Final = 2
_GOOD_BITS: Final = 112
"""What OpenSSL's security level 2 asks of a cipher."""


class _CheckedObject(ssl.SSLObject):
    """A connection of an event loop that checks its peer at the end of the handshake."""

    outgoing: ssl.MemoryBIO
    checked: _Crls | None = None
    _refusal: ssl.SSLError | None = None

    def read(self, len: int = 1024, buffer: "WriteableBuffer | None" = None) -> bytes:  # noqa: A002
        """Read what a peer sent that is not revoked; the event loop ends the connection else."""
        _check_again(self)
        return super().read(len, buffer)

    def write(self, data: "ReadableBuffer") -> int:
        """Write to a peer that is not revoked; the event loop ends the connection else."""
        _check_again(self)
        return super().write(data)

    def do_handshake(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        try:
            with _refusals_noted(self):
                super().do_handshake()
                _check(self)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, PeerError):
            raise
        except ssl.SSLError as error:
            # asyncio drops the connection at once and with it the alert that tells the peer why.
            # "Want to read" makes it send first what is waiting; the peer closes on the alert,
            # or anything more that it sends, or the loop's handshake timeout, ends it here. A
            # client raises at once: its own caller is the one who must learn why.
            if self.server_side and self.outgoing.pending:
                self._refusal = error
                raise ssl.SSLWantReadError from error
            raise


class _CheckedSocket(ssl.SSLSocket):
    """The same on a blocking socket."""

    checked: _Crls | None = None

    def read(self, len: int = 1024, buffer: "WriteableBuffer | None" = None) -> bytes:  # noqa: A002
        """Read what a peer sent that is not revoked."""
        _check_again(self)
        return super().read(len, buffer)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send to a peer that is not revoked."""
        _check_again(self)
        return super().send(data, flags)

    def do_handshake(self, block: bool = False) -> None:
        with _refusals_noted(self):
            super().do_handshake(block)
            _check(self)


class SepContext(ssl.SSLContext):
    """A TLS context whose peers keep to the certificate rules of IEEE 2030.5.

    Attributes:
        peer_role: The part that its peers play.
        crls: The revocation lists in use.
        crl_file: Where they come from.
        on_refused: Told, in one sentence, of each handshake that failed. A server logs it, for it
            has no other way to learn of it: the event loop drops such a connection in silence.
    """

    # The standard library makes its connections from these two attributes.
    sslobject_class = _CheckedObject
    sslsocket_class = _CheckedSocket
    peer_role: Role
    crls: _Crls
    crl_file: Path
    on_refused: Callable[[str], None]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Make a connection for an event loop, as the standard library does."""
        connection = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(connection, _CheckedObject):
            connection.outgoing = outgoing
        return connection

    def reload_crls(self) -> None:
        """Read the revocation lists again, for new handshakes and for open connections.

        An open connection whose peer they revoke ends at its next read or write with a
        `PeerError`; if it stays silent, it stays.

        Raises:
            CertificateError: The file is missing or damaged; the lists held so far stay.
        """
        crls = tuple(read_crls(self.crl_file))
        load_into(self, self.crl_file)
        self.crls = crls


def server_context(identity: IdentityFiles, trust: Trust, *, tls13: bool = False) -> SepContext:
    """Return the context of a 2030.5 server: every client must show a good certificate.

    Args:
        identity: The server's certificate with its intermediate CAs, and its key.
        trust: The roots believed in and the revocation lists of all CAs below them.
        tls13: Also offer TLS 1.3. Without it the version is the one 2030.5 names, and a refused
            client reads why: under 1.3 it has sent its request by then, and the reset that this
            provokes may overtake the alert.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """
    context = SepContext(ssl.PROTOCOL_TLS_SERVER)
    # A ticket would let a client in for hours without showing its certificate again. Sessions that
    # OpenSSL keeps itself can't be turned off from here: `check_peer` meets a revoked one.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    return _prepare(context, identity, trust, peer=Role.CLIENT, tls13=tls13)


def client_context(identity: IdentityFiles, trust: Trust, *, tls13: bool = False) -> SepContext:
    """Return the context of a 2030.5 client.

    The server's host name is not compared: in 2030.5 a server is known by its chain and LFDI, and
    found by an address that its certificate cannot know.

    Args:
        identity: The client's certificate with its intermediate CAs, and its key.
        trust: The roots believed in and the revocation lists of all CAs below them.
        tls13: Also offer TLS 1.3; see `server_context`.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """
    context = SepContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _prepare(context, identity, trust, peer=Role.SERVER, tls13=tls13)


def _prepare(
    context: SepContext, identity: IdentityFiles, trust: Trust, *, peer: Role, tls13: bool
) -> SepContext:
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if tls13 else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ecdh_curve("prime256v1")
    _set_ciphers(context)
    _load_identity(context, identity)
    read_certificates(trust.roots)  # says what is wrong with the file; OpenSSL does not
    load_into(context, trust.roots)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    context.peer_role = peer
    context.on_refused = _log_refusal if peer is Role.CLIENT else _leave_to_caller
    context.crl_file = trust.crls
    context.reload_crls()
    return context


def _set_ciphers(context: ssl.SSLContext) -> None:
    suites = f"{_GCM}:{_CCM8}"
    context.set_ciphers(suites)
    # From OpenSSL 3.2 on CCM8 counts as 64 bits and is silently left out above level 0. What the
    # level would keep out besides (weak keys, SHA-1 chains), `certs.verify` refuses itself.
    weak = any(c["strength_bits"] < _GOOD_BITS for c in context.get_ciphers())
    context.set_ciphers(f"{suites}:@SECLEVEL={0 if weak else _GOOD_LEVEL}")


def _load_identity(context: ssl.SSLContext, identity: IdentityFiles) -> None:
    read_identity(identity)  # says what is wrong with the files; OpenSSL does not
    try:
        context.load_cert_chain(identity.certificate, identity.key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{identity.certificate}: cannot be used: {error}") from error


def _check(connection: _CheckedObject | _CheckedSocket) -> None:
    context = connection.context
    if isinstance(context, SepContext):
        crls = context.crls
        check_peer(peer_chain(connection), context.peer_role, crls)
        connection.checked = crls


def _check_again(connection: _CheckedObject | _CheckedSocket) -> None:
    """Check the peer of an open connection, if other lists hold now than at its last check."""
    context = connection.context
    if connection.checked is None or not isinstance(context, SepContext):
        return
    if connection.checked is not context.crls:
        try:
            _check(connection)
        except PeerError as error:
            if context.peer_role is Role.CLIENT:  # a client's caller gets the error, and says it
                _LOG.warning("an open TLS connection ends: %s", error)
            raise


@contextmanager
def _refusals_noted(connection: ssl.SSLObject | ssl.SSLSocket) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        raise  # not a failure: the handshake goes on with the next bytes
    except ssl.SSLError as error:
        if isinstance(connection.context, SepContext):
            connection.context.on_refused(explain(error))
        raise


def _log_refusal(why: str) -> None:
    _LOG.warning("TLS handshake failed: %s", why)


def _leave_to_caller(_why: str) -> None:
    """Say nothing: a client's caller gets the error, and says it once."""
