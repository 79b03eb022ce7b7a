"""The utility's server put together: database, 2030.5 over mutual TLS, operator's door."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from ssl import SSLContext
from typing import Self

from aiohttp import web

from certs.identity import IdentityFiles, Trust, lfdi
from certs.pem import der, read_certificates
from certs.renewal import CertificateWatch
from certs.resume import Sessions
from certs.tls import SepContext, client_context, server_context
from hems.clock import Clock, SystemClock
from hems.headend.advertise import announced
from hems.headend.assembly import Assembly, assemble
from hems.headend.book import Book
from hems.headend.books import Books
from hems.headend.cim.assembly import Cim, assemble_cim
from hems.headend.db.follower import LOOK_S, Follower
from hems.headend.enterprise.assembly import EnterpriseSide, assemble_enterprise
from hems.headend.errors import BusyError
from hems.headend.est.assembly import Est, assemble_est
from hems.headend.fleet.assembly import Fleet, assemble_fleet
from hems.headend.listening import Listening
from hems.headend.mirror_store import MirrorStore
from hems.headend.monitor.monitor import Monitor
from hems.headend.ocsp.assembly import assemble_ocsp
from hems.headend.ocsp.views import KEEPALIVE_S as OCSP_KEEPALIVE_S
from hems.headend.ocsp.views import PATH as OCSP_PATH
from hems.headend.ocsp.views import Responder
from hems.headend.operator_api import operator_token
from hems.headend.operators.app import operators_of
from hems.headend.operators.roles import actor_of
from hems.headend.operators.tls import door_tls
from hems.headend.orders.peers import peer_rule
from hems.headend.postman import SUBSCRIBERS
from hems.headend.proxy import passed as proxy
from hems.headend.ready import Addresses, tell
from hems.headend.settings import HeadEndSettings
from hems.headend.settle.assembly import assemble_settlement
from hems.headend.store import Store
from hems.headend.telecontrol.assembly import Telecontrol, assemble_telecontrol
from hems.headend.thinner import Thinner
from hems.headend.upstream.assembly import Aggregation

EST_KEEPALIVE_S = 15.0
"""New homes ask a few things and go."""

_SHUTDOWN_S = 1.0

_log = logging.getLogger(__name__)


class HeadEnd:
    """A running utility server. Use as an async context manager.

    Args:
        settings: Everything it needs.
        clock: Its time.
        look_s: How often it looks for what other workers have changed in an SQLite file, s.

    Attributes:
        addresses: Where it is; known once it runs.
        token: The machine's own bearer token at the operator's door; known once it runs.
        door: The operator's door; there once it runs.
        book: What it knows; there once it runs.
        store: Its database; there once it runs.
        watch: Its eye on certificate, roots and revocation lists; there once it runs.
        est: What gives new homes their certificates; there once it runs, None for nothing.
        enterprise: Its bulletins and firmware lists; there once it runs.
        monitor: What looks at it all; there once it runs.
        listening: Its open doors; there once it runs.

    Raises:
        SettingsError: On entering: a port is in use, a file cannot be used.
        StoreError: On entering: the database cannot be used.
        certs.errors.CertificateError: On entering: a certificate or key cannot be used.
    """

    addresses: Addresses
    token: str
    door: web.Application
    book: Book
    store: Store
    watch: CertificateWatch
    est: Est | None
    enterprise: EnterpriseSide
    monitor: Monitor
    listening: Listening

    def __init__(
        self, settings: HeadEndSettings, clock: Clock | None = None, *, look_s: float = LOOK_S
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._look_s = look_s
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def refresh(self) -> None:
        """Look at once at all files that are followed: certificates, roots, revocation lists."""
        self.watch.refresh()
        await self._keep()

    async def _start(self, stack: AsyncExitStack) -> None:
        settings, clock = self._settings, self._clock
        identity = IdentityFiles(settings.certificate, settings.key)
        trust = Trust(settings.roots, settings.crls)
        self.watch = watch = CertificateWatch(identity, trust)
        server_tls = watch.cover(server_context(identity, trust))
        client_tls = watch.cover(client_context(identity, trust))
        client_tls.sessions = Sessions(hosts=SUBSCRIBERS, per_host=1)
        self.token = operator_token(settings.token_file)
        self.store = store = await Store.open(settings.database, settings.busy_timeout_s)
        stack.push_async_callback(store.close)
        books = Books.of(store, settings, clock)
        self.book = books.book
        stack.push_async_callback(_save_contacts, self.book)
        self.est = None  # the fleet asks it, and it tells the fleet
        fleet, operators = self._assemble_fleet(books), operators_of(store, clock)
        self._door_tls = door_tls(settings.operators)
        self.est = est = self._assemble_est(identity, fleet)
        self.monitor = monitor = Monitor(store, self.book, fleet, clock, settings.monitor)
        self.enterprise = enterprise = await assemble_enterprise(
            store, clock.now, settings.bulletins, settings.firmware
        )

        await store.load()
        await books.forget_old()
        responder = await self._assemble_ocsp()
        cim = await self._assemble_cim(stack, client_tls)
        upstream = None
        if settings.upstream is not None:
            upstream = Aggregation(settings.upstream, self.book, store, fleet, clock)

        settlement = assemble_settlement(store, self.book, fleet.memory, settings, clock)
        stack.push_async_callback(settlement.counts.close)

        async def keep() -> None:
            await enterprise.keep()
            if self._door_tls is not None:
                self._door_tls.refresh()
            for part in (est, responder, cim, upstream):
                if part is not None:
                    await part.keep()

        parts = assemble(
            books,
            store,
            settings,
            clock,
            tls=client_tls,
            judge=server_tls,
            token=self.token,
            operators=operators,
            fleet=fleet,
            refresh=watch.refresh,
            doors=(
                *enterprise.doors,
                *(() if est is None else est.doors),
                *(() if cim is None else cim.doors),
                *(() if upstream is None else upstream.doors),
                *monitor.doors,
                *settlement.doors,
            ),
            keep=keep,
            more=enterprise.views,
        )
        stack.push_async_callback(parts.notifier.close)
        self.door, self._keep = parts.operator, keep
        telecontrol = assemble_telecontrol(
            settings,
            self.book,
            store,
            fleet.memory,
            settlement,
            desk=parts.desk,
            trail=operators.trail,
            clock=clock,
        )
        await self._open(stack, parts, server_tls, cim, responder, telecontrol=telecontrol)
        self._follow(stack)
        thinner = Thinner(store, clock.now, settings.thin_after_days)
        works = {"ticker": parts.ticker.run(), "thinner": thinner.run(), **monitor.work()}
        works |= {} if cim is None else cim.work()
        works |= {} if telecontrol is None else {"telecontrol": telecontrol.run()}
        works |= {} if upstream is None else {"aggregator": upstream.run()}
        for name, work in works.items():
            stack.push_async_callback(_stop, _started(work, name))
        if settings.advertise:
            await stack.enter_async_context(
                announced(settings.host, self._port, settings.instance, settings.edition)
            )
        tell(settings, self.addresses, self.token)

    async def _open(
        self,
        stack: AsyncExitStack,
        parts: Assembly,
        tls: SepContext,
        cim: Cim | None,
        responder: Responder | None,
        *,
        telecontrol: Telecontrol | None,
    ) -> None:
        """Listen at all doors."""
        settings, monitor, est = self._settings, self.monitor, self.est
        monitor.follow(tls)
        monitor.watch(parts.notifier)
        self.listening = listening = Listening(stack, monitor, shared=settings.reuse_port)
        place = (settings.host, settings.port)
        self._port = port = await listening.at("homes", parts.homes, place, tls)
        base_url = _origin("https", settings.host, port)
        parts.notifier.base_url = base_url if settings.proxy is None else settings.proxy.reached_at
        proxied_at = await proxy.listen(listening, parts.proxied, settings.proxy)
        enrols_at = "" if est is None else await self._listen_for_new(listening, est, port)
        messages_at = "" if cim is None else await self._listen_for_messages(listening, cim, tls)
        asked_at = "" if responder is None else await self._listen_for_ocsp(listening, responder)
        place = (settings.operator_host, settings.operator_port)
        operator_port = await listening.at("operator", parts.operator, place, None)
        console_at = await self._listen_for_operators(listening, parts)
        self.addresses = Addresses(
            base_url,
            _origin("http", settings.operator_host, operator_port),
            lfdi(der(read_certificates(settings.certificate)[0])),
            enrols_at,
            asked_at,
            messages_at,
            console_at,
            proxied_at,
            "" if telecontrol is None else telecontrol.open(stack),
        )

    def _follow(self, stack: AsyncExitStack) -> None:
        """Keep memory as the database is."""
        follower = Follower(self.store, self._look_s)
        following = _started(follower.run(), "follower")
        stack.push_async_callback(_end, following)
        stack.callback(follower.end)

    def _assemble_fleet(self, books: Books) -> Fleet:
        programmes = books.book.programmes

        def used(group: str) -> str | None:
            own = programmes.of_group(group)
            return f"programme {own[0].name!r} has been ordered of it" if own else None

        def revoked(lfdi: str) -> bool:
            return self.est is not None and self.est.register.revoked(lfdi)

        return assemble_fleet(
            self.store,
            books.book,
            self._clock.now,
            self._settings.fleet,
            self._settings.edition,
            revoked=revoked,
            who=actor_of,
            used=used,
        )

    async def _assemble_cim(self, stack: AsyncExitStack, tls: SSLContext) -> Cim | None:
        settings = self._settings.cim
        if settings is None:
            return None
        return await assemble_cim(
            settings,
            self.book,
            self.store,
            MirrorStore(self.store),
            self._clock,
            tls=tls,
            stack=stack,
            allow=peer_rule(self._settings.four_eyes, self.book),
        )

    async def _listen_for_messages(self, listening: Listening, cim: Cim, tls: SSLContext) -> str:
        """Listen for the enterprise's messages; returns their origin."""
        settings = self._settings.cim
        if settings is None:
            return ""
        place = (settings.host, settings.port)
        port = await listening.at("cim", cim.app, place, tls if settings.tls else None)
        return _origin("https" if settings.tls else "http", settings.host, port)

    def _assemble_est(self, identity: IdentityFiles, fleet: Fleet) -> Est | None:
        settings = self._settings
        if settings.est is None:
            return None
        return assemble_est(
            settings.est,
            identity,
            self.store,
            self.book,
            self._clock,
            arrivals=fleet.arrivals,
            edition=settings.edition,
            refresh=self.watch.refresh,
        )

    async def _assemble_ocsp(self) -> Responder | None:
        settings = self._settings.ocsp
        if settings is None:
            return None
        enrolled = () if self.est is None else self.est.register.enrolments
        return await assemble_ocsp(settings, enrolled, self._clock)

    async def _listen_for_new(self, listening: Listening, est: Est, dcap_port: int) -> str:
        """Listen for new homes; returns HOST:PORT as they reach it."""
        settings = self._settings.est
        if settings is None:
            return ""
        place = (settings.host, settings.port)
        port = await listening.at(
            "est", est.app, place, est.tls.context, keepalive_s=EST_KEEPALIVE_S
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        est.places.dcap_port = dcap_port
        est.places.est = settings.reached_at or f"{host}:{port}"
        return est.places.est

    async def _listen_for_operators(self, listening: Listening, parts: Assembly) -> str:
        """Listen for operators at other machines; returns the origin."""
        settings, tls = self._settings.operators, self._door_tls
        if settings is None or tls is None:
            return ""
        place = (settings.host, settings.port)
        port = await listening.at("console", parts.remote, place, tls.context)
        return _origin("https", settings.host, port)

    async def _listen_for_ocsp(self, listening: Listening, responder: Responder) -> str:
        """Listen for questions about certificates; returns the URL at which homes reach it."""
        settings = self._settings.ocsp
        if settings is None:
            return ""
        place = (settings.host, settings.port)
        port = await listening.at(
            "ocsp", responder.app(), place, None, keepalive_s=OCSP_KEEPALIVE_S
        )
        return settings.reached_at or _origin("http", settings.host, port) + OCSP_PATH


def _origin(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _started(work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=f"headend {name}")
    task.add_done_callback(_report)
    return task


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _end(task: asyncio.Task[None]) -> None:
    """Wait for a task that has been told to end; a database that hangs holds it up no longer."""
    await asyncio.wait({task}, timeout=_SHUTDOWN_S)
    await _stop(task)


def _report(task: asyncio.Task[None]) -> None:
    """Say so if a task ends by itself: lists would no longer change."""
    if not task.cancelled() and task.exception() is not None:
        _log.critical("the %s has stopped", task.get_name(), exc_info=task.exception())


async def _save_contacts(book: Book) -> None:
    try:
        await book.contacts.save()
    except BusyError as error:
        _log.warning("the last contacts are lost: %s", error)
