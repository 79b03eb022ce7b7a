"""The EST server put together; it listens by itself nowhere."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.keys.backend import Held
from certs.pem import read_certificates
from certs.pki import open_pki
from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.book import Book
from hems.headend.errors import BusyError
from hems.headend.est.attempts import Attempts
from hems.headend.est.authority import Authority
from hems.headend.est.door import EstDoor
from hems.headend.est.expected import ExpectedHubs
from hems.headend.est.expected_door import ExpectedDoor
from hems.headend.est.register import Register
from hems.headend.est.settings import EstSettings
from hems.headend.est.tls import EstTls
from hems.headend.est.views import EstViews
from hems.headend.fleet.arrivals import Arrivals
from hems.headend.operator_api import Door
from hems.headend.records import Edition
from hems.headend.store import Store
from hems.headend.throttle import Throttle

_RENEWALS_PER_MINUTE = 6
_HOUR_S = 3600.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Places:
    """Where the servers are; known once they listen.

    Attributes:
        est: HOST:PORT of the EST server as homes reach it.
        dcap_port: Of the IEEE 2030.5 server.
    """

    est: str = ""
    dcap_port: int = 0

    def dcap(self, host: str) -> str:
        """Return where the IEEE 2030.5 server is for a home that reaches this machine by a host."""
        return str(URL.build(scheme="https", host=host, port=self.dcap_port, path=hrefs.DCAP))


@dataclass(frozen=True, slots=True)
class Est:
    """All parts, of which none listens yet.

    Attributes:
        app: What homes see.
        tls: Its TLS; to be refreshed like that of the other servers.
        doors: What the operator sees.
        register: Codes and enrolments.
        places: To be filled in once the servers listen.
    """

    app: web.Application
    tls: EstTls
    doors: Sequence[Door]
    register: Register
    places: Places

    async def keep(self) -> None:
        """Revoke and forget what was renewed; what cannot be done now is done later."""
        self.tls.refresh()
        try:
            for each in await self.register.supersede():
                _log.info("%s has taken the place of %s", each.lfdi, each.replaces)
        except (CertificateError, BusyError) as error:
            _log.warning("renewed certificates stay for now: %s", error)


def assemble_est(
    settings: EstSettings,
    identity: IdentityFiles,
    store: Store,
    book: Book,
    clock: Clock,
    *,
    arrivals: Arrivals,
    edition: Edition,
    refresh: Callable[[], None],
) -> Est:
    """Join the parts.

    Args:
        settings: Its own.
        identity: The head-end's certificate.
        store: The database.
        book: The homes.
        clock: The utility's time.
        arrivals: The fleet, told of each identity.
        edition: What homes speak of which nobody says it.
        refresh: Has the servers read certificates, roots and revocation lists again.

    Raises:
        CertificateError: A file cannot be used.
    """
    authority = Authority(open_pki(settings.pki), settings.lifetime_days)
    if authority.pki.ca.keys.keeps is Held.PLAIN:
        _log.warning(
            "%s: the CAs' keys are plain files; `hems pki keys` moves them into a key store",
            authority.pki.ca.folder,
        )
    expected = ExpectedHubs(store, clock)
    register = Register(
        store,
        book,
        authority,
        clock,
        expected=expected,
        arrivals=arrivals,
        edition=edition,
        approve=settings.approve,
    )
    makers = () if settings.manufacturers is None else (settings.manufacturers,)
    tls = EstTls(identity, (authority.pki.trust.roots, *makers))

    def refresh_all() -> None:
        refresh()
        tls.refresh()

    places = Places()
    views = EstViews(
        register,
        authority,
        Attempts(clock.monotonic),
        Throttle(_RENEWALS_PER_MINUTE, clock.monotonic),
        again_s=settings.again_s,
        dcap=places.dcap,
        refresh=refresh_all,
        makers=[each for path in makers for each in read_certificates(path)],
        tied=settings.tied,
    )
    door = EstDoor(
        register,
        lasting_s=settings.code_hours * _HOUR_S,
        reached_at=lambda: places.est,
        mark=authority.mark,
        edition=edition,
        refresh=refresh_all,
    )
    hubs = ExpectedDoor(
        expected, reached_at=lambda: places.est, mark=authority.mark, edition=edition
    )
    return Est(views.app(), tls, (door, hubs), register, places)
