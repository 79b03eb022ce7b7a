"""One server, from its DeviceCapability on: walk, responses, subscriptions, devices' reports.

Everything that is sent unasked waits until the server is known to be the home's own.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.book.ledger import Ledger, LedgerError
from hems.sep2.book.outbox import Outbox
from hems.sep2.codec.reading import BadItem
from hems.sep2.enddevice.enrolment import Enrolment, Means, Member, Standing
from hems.sep2.enddevice.readings import Samples
from hems.sep2.enddevice.registration import full
from hems.sep2.enddevice.reports import Report
from hems.sep2.errors import (
    ForbiddenError,
    MovedError,
    NotFoundError,
    OtherPeerError,
    PinError,
    Sep2Error,
    StrangerError,
    TransientError,
    TrustError,
)
from hems.sep2.noticed import Notice, Noticed, What, unnoticed
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles
from hems.sep2.walk.clocks import Clocks
from hems.sep2.walk.notices import GRACE_S, Notices
from hems.sep2.walk.stops import CapabilityStop
from hems.sep2.walk.subscribe import Subscriber
from hems.sep2.walk.trip import Trip, TripEvents
from hems.sep2.walk.walker import Pace, Stop, Walker
from hems.sep2.xml import parse

_log = logging.getLogger(__name__)

_ORDINARY: Final = 0
_MISSED: Final = 3
"""So many failures in a row at the entry point, and a server that was found is looked for anew."""


class ServerLostError(Sep2Error):
    """A server found by DNS-SD, or by a redirect, does not answer any more."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session needs to know; see `hems.sep2.client.ClientSettings`.

    Attributes:
        server: The ledger's key.
        certificate: LFDI of the certificate that the server sees.
        pace: Bounds of the poll rate.
        level: Extensibility level of subscriptions.
        subscription_check_s: How often subscriptions are checked.
        found: Whether the server was found, and may be found elsewhere when it is silent.
        notice_grace_s: How much later than a change its notification may come.
    """

    server: str
    certificate: str
    pace: Pace
    level: str
    subscription_check_s: float
    found: bool
    notice_grace_s: float = GRACE_S


@dataclass(frozen=True, slots=True)
class SessionEvents:
    """Whom a session tells: of its state (state, detail), an answer, an alarm, what it notices."""

    state: Callable[[str, str], None]
    contact: Callable[[], None]
    alarm: Callable[[str], None]
    notice: Notice = unnoticed


@dataclass(frozen=True, slots=True)
class Home:
    """The parts of the home that outlive a session; the first member is the home itself.

    Attributes:
        members: The EndDevices that it answers for.
        ledger: Durable memory.
        clock: The home's clock.
        rng: Source of jitter.
        samples: Readings that wait to be posted.
        proven: LFDIs of the certificates by which the home's own server has proved to be it.
    """

    members: Sequence[Member]
    ledger: Ledger
    clock: Clock
    rng: random.Random
    samples: Samples
    proven: set[str] = field(default_factory=set)


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
        self._settings = settings
        self._transport = transport
        self._ledger = home.ledger
        self._proven = home.proven
        transport.believe(home.proven, self._end)
        self._rng = home.rng
        self._tell = tell
        self._over: asyncio.Future[Sep2Error] = asyncio.get_running_loop().create_future()
        self._reachable = asyncio.Event()
        self._notification_uri = ""
        self._troubles = troubles = Troubles()
        self._notices = Notices(settings.notice_grace_s)
        means = Means(
            transport, home.rng, troubles, home.samples, settings.pace.least_poll_s, self._contact
        )
        self._enrolments = [Enrolment(member, means) for member in home.members]
        self.outbox = Outbox(
            home.ledger,
            settings.server,
            transport,
            home.rng,
            on_contact=self._contact,
            alarm=tell.alarm,
            silent=self._silent,
        )
        clocks = Clocks(
            transport,
            home.clock,
            self._enrolments,
            self._keep_offset,
            self._trouble,
            notice=tell.notice,
        )
        self._trip = Trip(
            transport,
            self._enrolments,
            full(settings.certificate),
            clocks,
            TripEvents(self._proved, self._mirror_at, self._standing, self._poke, self._trouble),
        )
        self._walker = Walker(
            CapabilityStop(self._trip, dcap),
            settings.pace,
            home.rng,
            troubles,
            on_answer=self._answered,
            on_failure=self._failed,
            on_subscribable=self._subscribable,
            notices=self._notices,
            reach=transport.reach,
        )
        self._subscriber: Subscriber | None = None

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            PinError: It is not the home's own server; nothing more is sent to it.
            ServerLostError: A server that was found went away.
            MovedError: Its entry point moved to another host.
            OtherPeerError: It shows another certificate now, and is to prove anew who it is.
        """
        async with asyncio.TaskGroup() as group:
            work = [
                self._walk(),
                self._when_trusted(self.outbox.run()),
                self._when_trusted(self._subscribe()),
                *(self._when_trusted(enrolment.run()) for enrolment in self._enrolments),
            ]
            tasks = [group.create_task(each) for each in work]
            # Not by an error of one of them: a group that ends by one lets a cancel go that comes
            # at that moment.
            why = await self._over
            for task in tasks:
                task.cancel()
        raise why

    async def _walk(self) -> None:
        try:
            await self._walker.run()
        except PinError as error:
            self._end(error)

    async def _when_trusted(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await self._trip.trusted.wait()
        except asyncio.CancelledError:
            work.close()
            raise
        await work

    def _end(self, why: Sep2Error) -> None:
        if not self._over.done():
            self._over.set_result(why)

    def listen(self, notification_uri: str) -> None:
        """Subscribe, where the server offers it: notifications can come in from now on."""
        self._notification_uri = notification_uri
        self._reachable.set()

    async def _subscribe(self) -> None:
        await self._reachable.wait()
        self._subscriber = Subscriber(
            self._transport,
            lambda: self._walker.subscribable,
            self._notification_uri,
            self._rng,
            self._troubles,
            notices=self._notices,
            alarm=self._tell.alarm,
            on_standing=self._walker.reread,
            level=self._settings.level,
            check_s=self._settings.subscription_check_s,
        )
        self._subscribe_at()
        await self._subscriber.run()

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
        if not self._trip.trusted.is_set():
            raise TransientError(f"{self._transport.host}: not yet known to be this home's server")
        if not self._transport.is_peer(sender):
            raise StrangerError(f"{sender or 'no certificate'} is not {self._transport.host}")
        bad: list[BadItem] = []
        notification = parse(body, res.Notification, on_bad=bad.append)
        href = notification.subscribed_resource
        _log.debug("a notification of %s is read", href)
        if self._subscriber is None:
            raise TransientError(f"{href}: this home has not subscribed yet")
        if not self._subscriber.knows(notification):
            if not self._subscriber.synced:
                raise TransientError(f"{href}: the subscriptions are not looked through yet")
            raise NotFoundError(f"{notification.subscription_uri}: not a subscription of this home")
        self._contact()
        if notification.status != _ORDINARY:
            _log.info("%s: its subscription ended, status %d", href, notification.status)
            self._subscriber.ended(notification)
            self._subscriber.wake()
            self._walker.vanished(href)
            return
        self._subscriber.came(notification)
        resource = None if bad else notification.resource
        if not await self._walker.notified(href, resource):
            raise TransientError(f"{href}: not come by yet")

    def publish(self, report: Report, member: Member) -> None:
        """Tell the server what a device says of itself."""
        for enrolment in self._enrolments:
            if enrolment.member is member:
                enrolment.publish(report)

    @property
    def trusted(self) -> bool:
        """Whether the server has proved to be the home's own."""
        return self._trip.trusted.is_set()

    @property
    def server_certificate(self) -> bytes | None:
        """What the server showed last and was believed by, DER; None before."""
        return self._transport.certificate

    def _proved(self) -> None:
        self._proven |= self._transport.peers
        self._transport.believe(self._proven, self._end)
        self._subscribe_at()

    def _subscribe_at(self) -> None:
        """Subscribe at the EndDevice of the certificate, or of the first device that may."""
        devices = [e.device for e in self._enrolments if e.enrolled and e.device is not None]
        links = [link for d in devices if (link := d.subscription_list_link) is not None]
        href = self._trip.subscriptions or (links[0].href if links else None)
        if self._subscriber is not None:
            self._subscriber.use(href)

    def _mirror_at(self, href: str | None) -> None:
        for enrolment in self._enrolments:
            enrolment.mirror_at(href)

    def _standing(self, enrolment: Enrolment, why: str) -> None:
        """Say how a device came to stand with the server, and act on it."""
        self._subscribe_at()
        self.outbox.wake()
        if why:
            name = "this home" if enrolment is self._trip.home else enrolment.member.name
            self._tell.alarm(f"{self._transport.host}: {name} {why}")

    def _silent(self, lfdi: str) -> bool:
        """Whether nothing is to be sent for a device now."""
        theirs = (e for e in self._enrolments if e.member.lfdi == full(lfdi))
        return any(not e.enrolled for e in theirs)

    def _poke(self, href: str) -> bool:
        return self._walker.poke(href)

    def _trouble(self, source: str, error: Sep2Error | None) -> None:
        if error is None:
            self._troubles.over(source)
        elif self._troubles.meet(source, error):
            self._tell.alarm(str(error))
            self._tell.notice(Noticed(What.SERVER, str(error), error=error))

    def _subscribable(self) -> None:
        if self._subscriber is not None:
            self._subscriber.wake()

    def read_clocks(self) -> None:
        """Ask for the server's time now."""
        for href in self._trip.clocks.hrefs:
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
        standing = self._trip.home.member.standing
        if standing is Standing.DISABLED:
            self._tell.state("refused", f"{self._transport.host} has disabled this home")
        elif standing is Standing.GONE:
            self._tell.state("refused", f"{self._transport.host} does not list this home any more")
        elif self._trip.trusted.is_set():
            self._tell.state("connected", f"connected to {self._transport.host}")

    def _failed(self, stop: Stop, error: Sep2Error, failures: int, new: bool) -> None:
        if isinstance(error, OtherPeerError):
            return  # the session ends by it, which is told there
        if new:
            self._tell.notice(Noticed(What.SERVER, str(error), error=error))
        trusted = self._trip.trusted.is_set()
        unknown_here = isinstance(error, ForbiddenError) and not trusted
        if isinstance(error, TrustError) or unknown_here:
            self._tell.state("refused", str(error))
        elif isinstance(error, TransientError) or not trusted:
            self._tell.state("unreachable", str(error))
        if new and isinstance(error, TransientError):
            _log.warning("%s", error)
        elif new:
            self._tell.alarm(str(error))
        if not isinstance(stop, CapabilityStop):
            return
        if isinstance(error, MovedError):
            self._end(error)
        elif self._settings.found and failures >= _MISSED:
            self._end(ServerLostError(f"{self._transport.host} does not answer any more"))
