"""Who is behind a request that came by the proxy: judged here, not taken at the proxy's word."""

import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web
from cryptography import x509

from certs.errors import PeerError
from certs.identity import lfdi
from certs.passed import check_passed
from certs.pem import der, read_certificates
from certs.rules import Rules
from hems.headend.errors import ForbiddenError, RequestError
from hems.headend.listening import PEER, Listening
from hems.headend.proxy.headers import client_cert, escaped_pem
from hems.headend.proxy.settings import ProxySettings

_MOST: Final = 20_000
"""Certificates that are remembered as good."""
_CHAIN: Final = "Client-Cert-Chain"


async def listen(
    listening: Listening, app: web.Application | None, settings: ProxySettings | None
) -> str:
    """Listen to the proxy; returns the origin that it calls, empty for none.

    Raises:
        SettingsError: It cannot listen there.
    """
    if app is None or settings is None:
        return ""
    port = await listening.at("proxied", app, (settings.host, settings.port), None)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}"


class Judge(Protocol):
    """Has the rules that clients' certificates are judged by; see `certs.tls.SepContext`."""

    rules: Rules


@dataclass(frozen=True, slots=True)
class _Known:
    """A certificate that was good: as long as these rules hold, until a time (epoch s)."""

    lfdi: str
    rules: Rules
    ends: float


class Passed:
    """Says who is behind requests by the proxy.

    Args:
        settings: Where the proxy is, and what it passes on.
        judge: The rules; they change with revocation lists and roots.
        now: UTC epoch seconds.

    Raises:
        certs.errors.CertificateError: The file of CAs cannot be used.
    """

    def __init__(self, settings: ProxySettings, judge: Judge, now: Callable[[], float]) -> None:
        self._settings = settings
        self._judge = judge
        self._now = now
        self._networks = [ipaddress.ip_network(each) for each in settings.networks]
        self._authorities: Sequence[x509.Certificate] = ()
        if settings.authorities is not None:
            self._authorities = read_certificates(settings.authorities)
        self._known: dict[bytes, _Known] = {}

    def lfdi(self, request: web.Request) -> str:
        """Return the LFDI of the device behind a request.

        Raises:
            ForbiddenError: It does not come from the proxy, or the certificate is not trusted.
            RequestError: What the proxy passes on cannot be read, or comes twice.
        """
        self._check_source(request)
        value, chain = self._only(request, self._settings.header), None
        if not value:
            raise ForbiddenError(f"the proxy passes no certificate on: no {self._settings.header}")
        if self._settings.by_rfc:
            chain = self._only(request, _CHAIN)
        self._note_address(request)
        mark = hashlib.sha256(f"{value}\n{chain or ''}".encode()).digest()
        known, now = self._known.get(mark), self._now()
        if known is None or known.rules is not self._judge.rules or now > known.ends:
            known = self._judged(value, chain, now)
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            self._known[mark] = known
        return known.lfdi

    def _check_source(self, request: web.Request) -> None:
        transport = request.transport
        peer = None if transport is None else transport.get_extra_info("peername")
        if not isinstance(peer, tuple) or not peer:
            raise ForbiddenError("the connection is gone")
        address = ipaddress.ip_address(str(peer[0]).split("%", maxsplit=1)[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        if not any((mapped or address) in network for network in self._networks):
            raise ForbiddenError(f"{address} is not the proxy")

    def _judged(self, value: str, chain: str | None, now: float) -> _Known:
        found = client_cert(value, chain) if self._settings.by_rfc else escaped_pem(value)
        leaf, rules = found[0], self._judge.rules
        try:
            ends = check_passed(leaf, (*found[1:], *self._authorities), rules, now)
            return _Known(lfdi(der(leaf)), rules, ends)
        except PeerError as error:
            raise ForbiddenError(str(error)) from error

    def _note_address(self, request: web.Request) -> None:
        """Take the home's own address for that of the peer, so far as the proxy says it."""
        name = self._settings.address_header
        said = None if name is None else self._only(request, name)
        if said is None:
            PEER.set("")
            return
        try:
            PEER.set(str(ipaddress.ip_address(said.strip())))
        except ValueError as error:
            raise RequestError(f"{name}: {said[:60]!r} is no address") from error

    def _only(self, request: web.Request, name: str) -> str | None:
        """Return a header; None if there is none.

        Raises:
            RequestError: It comes twice: one may be the client's own.
        """
        found = request.headers.getall(name, [])
        if len(found) > 1:
            raise RequestError(f"{name} comes {len(found)} times")
        return found[0] if found else None
