"""TLS contexts of IEEE 2030.5 for both sides, on the standard library's `ssl` (aiohttp's own).

Each connection of such a context is checked twice: by OpenSSL (chain, dates, revocation) and then
by `certs.verify` (P-256, purpose, policies, name) and `certs.standing` (what holds while revocation
cannot be learned), inside the handshake, so that no caller can forget the second. A connection that
is open when new revocation lists or roots are read is checked again before the next octet goes over
it: peers talk over one connection for days.

A client takes its sessions up again (`certs.resume`): event loops pass none, so the context does.
The own identity and the trust can be renewed while it is in use (`certs.renewal`).
"""

import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cryptography import x509

from certs import instants
from certs.errors import CertificateError, PeerError, UnsignedError
from certs.explain import explain
from certs.identity import IdentityFiles, Trust
from certs.keys import inplace
from certs.pem import der, load_into, read_certificates, read_crls, read_identity
from certs.resume import Resumable, Sessions, good_until
from certs.rules import Rules
from certs.standing import STRICT, Answers, Policy
from certs.verify import Role, peer_chain

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_LOG = logging.getLogger(__name__)

_GCM: Final = "ECDHE-ECDSA-AES128-GCM-SHA256"
_CCM8: Final = "ECDHE-ECDSA-AES128-CCM8"
"""Mandatory in 2030.5; second choice here, because its tag has only 64 bits."""

_GOOD_LEVEL: Final = 2
_GOOD_BITS: Final = 112
"""What OpenSSL's security level 2 asks of a cipher."""

_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, of which the standard library has no name."""

_TICKET_READS: Final = 4
"""Within so many reads a TLS 1.3 server has sent a ticket, if it sends any."""


class _CheckedObject(ssl.SSLObject):
    """A connection of an event loop that checks its peer at the end of the handshake."""

    outgoing: ssl.MemoryBIO
    checked: Rules | None = None
    ends: float = 0.0
    resuming: Resumable | None = None
    chain: Sequence[x509.Certificate] = ()
    _tries: int = 0
    _refusal: ssl.SSLError | None = None

    def read(self, len: int = 1024, buffer: "WriteableBuffer | None" = None) -> bytes:  # noqa: A002
        """Read what a peer sent that is not revoked; the event loop ends the connection else."""
        _check_again(self)
        got = super().read(len, buffer)
        # Not before the server has sent something: until then it may refuse what was taken up
        # again, which only a full handshake would explain; and TLS 1.3 sends its tickets late.
        if got and self._tries:
            self._tries = 0 if _keep_session(self) else self._tries - 1
        return got

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
        if not self.server_side:
            self._tries = _TICKET_READS


class _CheckedSocket(ssl.SSLSocket):
    """The same on a blocking socket, which takes sessions up by its caller's hand only."""

    checked: Rules | None = None
    ends: float = 0.0
    resuming: Resumable | None = None
    chain: Sequence[x509.Certificate] = ()

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
        rules: What its peers are judged by.
        identity: Where its own certificate and key come from.
        trust: Where roots and revocation lists come from.
        sessions: What a client takes up again.
        renewals: How often the own identity or the roots have been renewed: who keeps connections
            open tells by it that they were made under earlier ones.
        on_refused: Told, in one sentence, of each handshake that failed. A server logs it, for it
            has no other way to learn of it: the event loop drops such a connection in silence.
        on_peer: Told the chain of each peer that is good but for revocation, which is judged right
            after; must not block.
    """

    # The standard library makes its connections from these two attributes.
    sslobject_class = _CheckedObject
    sslsocket_class = _CheckedSocket
    rules: Rules
    identity: IdentityFiles
    trust: Trust
    sessions: Sessions
    renewals: int = 0
    on_refused: Callable[[str], None]
    on_peer: Callable[[Sequence[x509.Certificate]], None]

    @property
    def crls(self) -> Sequence[x509.CertificateRevocationList]:
        """The revocation lists in use."""
        return self.rules.crls

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Make a connection for an event loop, as the standard library does.

        Event loops give no session; a client's connection then takes one up that is kept here.
        """
        self._leave_times()
        kept: Resumable | None = None
        if not server_side and session is None and isinstance(server_hostname, str):
            kept = self.sessions.take(server_hostname, instants.now())
        connection = super().wrap_bio(
            incoming,
            outgoing,
            server_side,
            server_hostname,
            session if kept is None else kept.session,
        )
        if isinstance(connection, _CheckedObject):
            connection.outgoing = outgoing
            connection.resuming = kept
        return connection

    def wrap_socket(  # noqa: PLR0917 - as the standard library has it
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Make a connection on a blocking socket, as the standard library does."""
        self._leave_times()
        return super().wrap_socket(
            sock,
            server_side,
            do_handshake_on_connect,
            suppress_ragged_eofs,
            server_hostname,
            session,
        )

    def learn(self, answers: Answers) -> None:
        """Go by what OCSP has said, for new handshakes and, like `reload_crls`, for open ones."""
        if answers != self.rules.answers:
            self._judge_by(replace(self.rules, answers=answers))

    def _leave_times(self) -> None:
        """Have OpenSSL leave times to us, or not; who is on an overdue list it refuses still."""
        flags = self.verify_flags & ~_NO_CHECK_TIME
        if self.rules.leaves_times(instants.now()) or instants.apart():
            flags |= _NO_CHECK_TIME
        self.verify_flags = flags

    def reload_crls(self) -> None:
        """Read the revocation lists again, for new handshakes and for open connections.

        An open connection whose peer they revoke ends at its next read or write with a
        `PeerError`; if it stays silent, it stays.

        Raises:
            CertificateError: The file is missing or damaged; the lists held so far stay.
        """
        crls = tuple(read_crls(self.trust.crls))
        load_into(self, self.trust.crls)
        self._judge_by(replace(self.rules, crls=crls))

    def reload_roots(self) -> None:
        """Read the trusted roots again; like `reload_crls` it reaches open connections.

        Raises:
            CertificateError: The file is missing or damaged; the roots held so far stay.
        """
        roots = tuple(read_certificates(self.trust.roots))
        # OpenSSL can be given more roots but none can be taken from it; `check_root` does that.
        load_into(self, self.trust.roots)
        self._judge_by(replace(self.rules, roots=roots))
        self.renewals += 1  # what hangs under a root that is gone is made anew, not refused

    def reload_identity(self) -> None:
        """Read the own certificate and key again, for new handshakes.

        Raises:
            CertificateError: A file is missing or damaged, or they do not belong together; the
                identity held so far stays.
        """
        _load_identity(self, self.identity)
        self.sessions.forget()  # a server knows a resumed session by the certificate it began with
        self.renewals += 1

    def _judge_by(self, rules: Rules) -> None:
        self.rules = rules
        self.sessions.forget()


def server_context(
    identity: IdentityFiles, trust: Trust, *, tls13: bool = False, policy: Policy = STRICT
) -> SepContext:
    """Return the context of a 2030.5 server: every client must show a good certificate.

    Args:
        identity: The server's certificate with its intermediate CAs, and its key.
        trust: The roots believed in and the revocation lists of all CAs below them.
        tls13: Also offer TLS 1.3. Without it the version is the one 2030.5 names, and a refused
            client reads why: under 1.3 it has sent its request by then, and the reset that this
            provokes may overtake the alert.
        policy: What holds while revocation cannot be learned.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """
    context = SepContext(ssl.PROTOCOL_TLS_SERVER)
    # A ticket would let a client in for hours without showing its certificate again. Sessions that
    # OpenSSL keeps itself can't be turned off from here: `check_peer` meets a revoked one.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    return _prepare(context, identity, trust, peer=Role.CLIENT, tls13=tls13, policy=policy)


def client_context(
    identity: IdentityFiles, trust: Trust, *, tls13: bool = False, policy: Policy = STRICT
) -> SepContext:
    """Return the context of a 2030.5 client.

    The server's host name is not compared: in 2030.5 a server is known by its chain and LFDI, and
    found by an address that its certificate cannot know.

    Args:
        identity: The client's certificate with its intermediate CAs, and its key.
        trust: The roots believed in and the revocation lists of all CAs below them.
        tls13: Also offer TLS 1.3; see `server_context`.
        policy: What holds while revocation cannot be learned.

    Raises:
        CertificateError: A file is missing, unreadable, garbage, or key and certificate differ.
    """
    context = SepContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _prepare(context, identity, trust, peer=Role.SERVER, tls13=tls13, policy=policy)


def _prepare(
    context: SepContext,
    identity: IdentityFiles,
    trust: Trust,
    *,
    peer: Role,
    tls13: bool,
    policy: Policy,
) -> SepContext:
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if tls13 else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ecdh_curve("prime256v1")
    _set_ciphers(context)
    context.identity, context.trust, context.sessions = identity, trust, Sessions()
    _load_identity(context, identity)
    roots = tuple(read_certificates(trust.roots))  # says what is wrong with it; OpenSSL does not
    load_into(context, trust.roots)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    context.on_refused = _log_refusal if peer is Role.CLIENT else _leave_to_caller
    context.on_peer = _ask_nobody
    context.rules = Rules(peer, roots, policy=policy)
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
        if identity.keys is None:
            context.load_cert_chain(identity.certificate, identity.key)
        else:
            with identity.keys.tls(identity.key) as key:
                context.load_cert_chain(identity.certificate, key.path, key.password)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{identity.certificate}: cannot be used: {error}") from error


def _check(connection: _CheckedObject | _CheckedSocket) -> None:
    context = connection.context
    if isinstance(context, SepContext):
        rules = context.rules
        chain = _chain(connection)
        now = instants.now()
        rules.check(chain, now, sure=instants.known())
        if connection.checked is None:
            context.on_peer(chain)
        connection.ends = rules.check_standing(chain, now)
        connection.checked, connection.chain = rules, chain


def _chain(connection: _CheckedObject | _CheckedSocket) -> Sequence[x509.Certificate]:
    """Return the peer's chain; of a session taken up again the one checked when it began."""
    if connection.chain:
        return connection.chain
    kept = connection.resuming
    if kept is None or not connection.session_reused:
        return peer_chain(connection)
    if connection.getpeercert(binary_form=True) != der(kept.chain[0]):
        raise PeerError("the resumed session is another peer's")
    return kept.chain


def _check_again(connection: _CheckedObject | _CheckedSocket) -> None:
    """Check the peer of an open connection, if other rules hold now or what was known has ended."""
    context = connection.context
    if connection.checked is None or not isinstance(context, SepContext):
        return
    if connection.checked is not context.rules or instants.now() > connection.ends:
        try:
            _check(connection)
        except PeerError as error:
            if context.rules.role is Role.CLIENT:  # a client's caller gets the error, and says it
                _LOG.warning("an open TLS connection ends: %s", error)
            raise


def _keep_session(connection: _CheckedObject) -> bool:
    """Keep a client's session for the next connection; False if there is none to keep yet."""
    context, session, host = connection.context, connection.session, connection.server_hostname
    if not isinstance(context, SepContext) or session is None or not host:
        return True
    if connection.version() == "TLSv1.3" and not session.has_ticket:
        return False
    # What was judged by rules that hold no more is judged anew by the next connection.
    if connection.checked is context.rules and (session.has_ticket or session.id):
        until = good_until(session, connection.chain, context.crls)
        context.sessions.keep(host, Resumable(session, connection.chain, until))
    return True


@contextmanager
def _refusals_noted(connection: ssl.SSLObject | ssl.SSLSocket) -> Iterator[None]:
    unsigned: str | None = None
    inplace.failure()  # of another handshake, before this one
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        raise  # not a failure: the handshake goes on with the next bytes
    except ssl.SSLError as error:
        unsigned = inplace.failure()
        if isinstance(connection.context, SepContext):
            connection.context.on_refused(unsigned or explain(error))
        if unsigned is None:
            raise
    if unsigned is not None:  # raised here, so that OpenSSL's own words do not hide behind it
        raise UnsignedError(unsigned)


def _log_refusal(why: str) -> None:
    _LOG.warning("TLS handshake failed: %s", why)


def _ask_nobody(_chain: Sequence[x509.Certificate]) -> None:
    """Ask nobody about a peer: the lists say enough."""


def _leave_to_caller(_why: str) -> None:
    """Say nothing: a client's caller gets the error, and says it once."""
