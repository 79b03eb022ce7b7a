"""One server, from its DeviceCapability on: walk, responses, subscriptions, mirror, DER.

Everything that is sent unasked waits until the server is known to be the home's own.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.codec.reading import BadItem
from hems.sep2.der import DerPublisher, DerReport
from hems.sep2.engine import Engine
from hems.sep2.errors import (
    ForbiddenError,
    NotFoundError,
    PinError,
    Sep2Error,
    StrangerError,
    TransientError,
    TrustError,
)
from hems.sep2.http import Transport
from hems.sep2.ledger import Ledger, LedgerError
from hems.sep2.mirror import Mirror, MirrorSpec, Samples
from hems.sep2.outbox import Outbox
from hems.sep2.registration import Identity
from hems.sep2.stops import CapabilityStop, Trip
from hems.sep2.subscribe import Subscriber
from hems.sep2.troubles import Troubles
from hems.sep2.walker import Pace, Stop, Walker
from hems.sep2.xml import parse

_log = logging.getLogger(__name__)

_ORDINARY: Final = 0
_MISSED: Final = 3
"""So many failures in a row at the entry point, and a server that was found is looked for anew."""


class ServerLostError(Sep2Error):
    """A server found by DNS-SD does not answer any more; it may have another address by now."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session needs to know; see `hems.sep2.client.ClientSettings`."""

    identity: Identity
    server: str
    pace: Pace
    mirrors: Sequence[MirrorSpec]
    level: str
    subscription_check_s: float
    notification_uri: str | None
    announced: bool


@dataclass(frozen=True, slots=True)
class SessionEvents:
    """Whom a session tells: of its state (state, detail), of an answer, of an alarm."""

    state: Callable[[str, str], None]
    contact: Callable[[], None]
    alarm: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Home:
    """The parts of the home that outlive a session."""

    engine: Engine
    ledger: Ledger
    clock: Clock
    rng: random.Random
    samples: Samples


class Session:
    """All that goes on between the home and one server.

    Args:
        settings: See `SessionSettings`.
        transport: Way to the server.
        dcap: Where its DeviceCapability is.
        home: The parts of the home that outlive the session.
        tell: Whom to tell.
    """

    def __init__(
        self,
        settings: SessionSettings,
        transport: Transport,
        dcap: str,
        home: Home,
        tell: SessionEvents,
    ) -> None:
        engine, ledger, rng = home.engine, home.ledger, home.rng
        self._settings = settings
        self._transport = transport
        self._ledger = ledger
        self._tell = tell
        self._trusted = asyncio.Event()
        self._lost = asyncio.Event()
        self._device: res.EndDevice | None = None
        identity = settings.identity
        self.outbox = Outbox(ledger, transport, rng, on_contact=self._contact, alarm=tell.alarm)
        troubles = Troubles()
        self.der = DerPublisher(transport, rng, troubles)
        self._mirrors = [
            Mirror(
                spec,
                identity.lfdi,
                transport,
                lambda: engine.offset_s,
                rng,
                troubles=troubles,
                samples=home.samples,
                least_post_s=settings.pace.least_poll_s,
                on_contact=self._contact,
            )
            for spec in settings.mirrors
        ]
        self._trip = trip = Trip(
            transport, engine, identity, home.clock, self._keep_offset, self._trust, self._mirror_at
        )
        self._walker = Walker(
            CapabilityStop(trip, dcap),
            settings.pace,
            rng,
            troubles,
            on_answer=self._answered,
            on_failure=self._failed,
            on_subscribable=self._subscribable,
        )
        self._subscriber: Subscriber | None = None
        if settings.notification_uri is not None:
            self._subscriber = Subscriber(
                transport,
                lambda: self._walker.subscribable,
                settings.notification_uri,
                rng,
                troubles,
                on_standing=self._reread,
                level=settings.level,
                check_s=settings.subscription_check_s,
            )

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            PinError: It is not the home's own server; nothing more is sent to it.
            ServerLostError: A server that was found by DNS-SD went away.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._walker.run())
                group.create_task(self._until_lost())
                group.create_task(self._when_trusted(self.outbox.run()))
                group.create_task(self._when_trusted(self.der.run()))
                for mirror in self._mirrors:
                    group.create_task(self._when_trusted(mirror.run()))
                if self._subscriber is not None:
                    group.create_task(self._when_trusted(self._subscriber.run()))
        except* PinError as errors:
            raise PinError(str(errors.exceptions[0])) from None
        except* ServerLostError as errors:
            raise ServerLostError(str(errors.exceptions[0])) from None

    async def _when_trusted(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await self._trusted.wait()
        except asyncio.CancelledError:
            work.close()
            raise
        await work

    async def _until_lost(self) -> None:
        await self._lost.wait()
        raise ServerLostError(f"{self._transport.host} does not answer any more")

    async def notify(self, body: bytes, sender: str | None) -> None:
        """Act on a notification.

        Any certificate of the same PKI gets as far as this; only that of the server that knows the
        home's PIN gets further.

        Args:
            body: As it came in.
            sender: LFDI of who sent it; None if it came in without TLS.

        Raises:
            StrangerError: It does not come from the home's own server.
            MalformedError: It is none.
            NotFoundError: It belongs to none of the home's subscriptions.
            TransientError: That cannot be told yet, so shortly after the start.
        """
        if not self._trusted.is_set():
            raise TransientError(f"{self._transport.host}: not yet known to be this home's server")
        if not self._transport.is_peer(sender):
            raise StrangerError(f"{sender or 'no certificate'} is not {self._transport.host}")
        bad: list[BadItem] = []
        notification = parse(body, res.Notification, on_bad=bad.append)
        href = notification.subscribed_resource
        _log.debug("a notification of %s is read", href)
        if self._subscriber is None or not self._subscriber.knows(notification):
            if self._subscriber is not None and not self._subscriber.synced:
                raise TransientError(f"{href}: the subscriptions are not looked through yet")
            raise NotFoundError(f"{notification.subscription_uri}: not a subscription of this home")
        self._contact()
        if notification.status != _ORDINARY:
            self._subscriber.ended(notification)
            self._subscriber.wake()
            self._walker.poke(href)
            return
        resource = notification.resource
        if resource is not None and not bad and await self._walker.take(href, resource):
            return
        if not self._walker.poke(href):
            raise TransientError(f"{href}: not come by yet")

    async def log_event(self, event: res.LogEvent) -> None:
        """Post a log event.

        Raises:
            NotFoundError: The server keeps no log for this home, or is not trusted yet.
            Sep2Error: It could not be posted.
        """
        link = self._device.log_event_list_link if self._device is not None else None
        if link is None:
            raise NotFoundError(f"{self._transport.host}: no LogEventList for this home")
        await self._transport.post(link.href, event)

    def publish(self, report: DerReport) -> None:
        """Tell the server about the home's DER."""
        self.der.publish(report)

    def _trust(self, device: res.EndDevice | None) -> None:
        self._device = device
        if device is not None:
            subscriptions, ders = device.subscription_list_link, device.der_list_link
            if self._subscriber is not None:
                self._subscriber.use(subscriptions.href if subscriptions else None)
            self.der.use(ders.href if ders else None)
        self._trusted.set()

    def _mirror_at(self, href: str | None) -> None:
        for mirror in self._mirrors:
            mirror.use(href)

    def _subscribable(self) -> None:
        if self._subscriber is not None:
            self._subscriber.wake()

    def _reread(self, href: str) -> None:
        """Read what a subscription now stands for: it may have changed before that."""
        self._walker.poke(href)

    def read_clocks(self) -> None:
        """Ask for the server's time now."""
        for href in self._trip.clocks:
            self._walker.poke(href)

    async def _keep_offset(self, offset_s: float) -> None:
        try:
            await self._ledger.save_server_offset(self._settings.server, offset_s)
        except LedgerError as error:
            self._tell.alarm(f"the server's clock cannot be kept: {error}")

    def _contact(self) -> None:
        self._tell.contact()

    def _answered(self) -> None:
        self._contact()
        if self._trusted.is_set():
            self._tell.state("connected", f"connected to {self._transport.host}")

    def _failed(self, stop: Stop, error: Sep2Error, failures: int, new: bool) -> None:
        unknown_here = isinstance(error, ForbiddenError) and not self._trusted.is_set()
        if isinstance(error, TrustError) or unknown_here:
            self._tell.state("refused", str(error))
        elif isinstance(error, TransientError) or not self._trusted.is_set():
            self._tell.state("unreachable", str(error))
        if new and isinstance(error, TransientError):
            _log.warning("%s", error)
        elif new:
            self._tell.alarm(str(error))
        entry = isinstance(stop, CapabilityStop)
        if entry and self._settings.announced and failures >= _MISSED:
            self._lost.set()
