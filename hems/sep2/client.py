"""The home's IEEE 2030.5 client: finds its server, keeps to it, survives its faults.

`Client.run` serves until it is cancelled. What the server does wrong ends in a state and a
sentence for the owner, never in an exception; a wrong registration PIN ends all traffic for a while
(`hems.sep2.wrong_pins`).
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hems.clock import Clock
from hems.on_demand import load, on_demand
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.book.ledger import Ledger, LedgerError
from hems.sep2.enddevice.enrolment import Member, MemberSettings
from hems.sep2.enddevice.logevents import Happening
from hems.sep2.enddevice.readings import Sample, Samples
from hems.sep2.enddevice.reports import Report
from hems.sep2.errors import (
    MalformedError,
    MovedError,
    OtherPeerError,
    PinError,
    Sep2Error,
    TransientError,
)
from hems.sep2.noticed import Notice, Noticed, What, unnoticed
from hems.sep2.rules.events import Schedule
from hems.sep2.session import Home, ServerLostError, Session, SessionEvents, SessionSettings
from hems.sep2.settings import ClientSettings, ClientState, ListenSettings
from hems.sep2.transport.backoff import Backoff, until_next_poll
from hems.sep2.transport.http import Transport
from hems.sep2.transport.inlet import Inlet
from hems.sep2.transport.listener import Listener
from hems.sep2.wrong_pins import WrongPins

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

    from hems.sep2.transport import discovery
else:  # multicast DNS, for a server whose address is not configured
    discovery = on_demand("hems.sep2.transport.discovery")

_log = logging.getLogger(__name__)

_SEARCHING: Final = "looking for a utility server on this network"
_MOVES: Final = 5
"""A server that leads on and on is gone back to from where it began."""


class Client:
    """The home's side of IEEE 2030.5.

    Args:
        settings: See `ClientSettings`.
        connect: Makes the way to a server from its origin, with the home's TLS context.
        ledger: Durable memory.
        clock: The home's clock.
        rng: Source of event draws and of jitter.
        listen_context: Server side of mutual TLS for notifications.
        zeroconf: Shared multicast sockets for DNS-SD; None to open some.
        on_schedule: Told at once whenever what is in force changes; must not block.
        on_member: Told the same of further EndDevices: index in `members`, what is in force.
        on_state: Told when the link's state changes.
        alarm: Told in one sentence what somebody should know.
        notice: Told what bears on security.
    """

    def __init__(
        self,
        settings: ClientSettings,
        connect: Callable[[str], Transport],
        ledger: Ledger,
        clock: Clock,
        rng: random.Random,
        *,
        listen_context: ssl.SSLContext | None = None,
        zeroconf: "AsyncZeroconf | None" = None,
        on_schedule: Callable[[Schedule], None] = lambda _schedule: None,
        on_member: Callable[[int, Schedule], None] = lambda _index, _schedule: None,
        on_state: Callable[[ClientState], None] = lambda _state: None,
        alarm: Callable[[str], None] = _log.warning,
        notice: Notice = unnoticed,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._listen_context = listen_context
        self._zeroconf = zeroconf
        self._on_schedule = on_schedule
        self._on_member = on_member
        self._on_state = on_state
        self._alarm = alarm
        self._notice = notice
        self._state = ClientState("off", "not started")
        self._heard_at: float | None = None  # on the monotonic clock
        self._session: Session | None = None
        self._samples = Samples()
        self._proven: set[str] = set()
        self._wrong_pins = WrongPins(settings.wrong_pin_s)
        self._notification_uri: str | None = None
        self.members = tuple(self._member(i, each) for i, each in enumerate(settings.members))
        """The EndDevices that the home answers for, its own first."""

    def _member(self, index: int, settings: MemberSettings) -> Member:
        book = BookSettings(self._settings.server, settings.identity.lfdi, settings.profile)
        book = replace(book, inherits=index == 0)
        if settings.binding is not None:
            book = replace(book, binding=settings.binding)
        engine = Engine(
            book,
            self._ledger,
            self._clock,
            self._rng,
            comms_loss_s=self._settings.comms_loss_s,
            on_schedule=lambda schedule: self._tell_schedule(index, schedule),
            on_owed=self._owed,
            on_step=self._stepped,
            alarm=self._alarm,
            notice=self._notice,
        )
        return Member(settings, engine)

    @property
    def engine(self) -> Engine:
        """The events of the home itself."""
        return self.members[0].engine

    @property
    def state(self) -> ClientState:
        """How the link to the utility stands."""
        return self._state

    @property
    def silent_s(self) -> float | None:
        """Time since the server's last good answer, however the clock was set; None if never."""
        return None if self._heard_at is None else self._clock.monotonic() - self._heard_at

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._recall()
        async with asyncio.TaskGroup() as group, self._listening(group):
            for member in self.members:
                group.create_task(member.engine.run())
            await self._serve()

    async def handle_notification(self, body: bytes, sender: str | None) -> None:
        """Act on a notification's body.

        Args:
            body: As it came in.
            sender: LFDI of who sent it, by its certificate; None if it came in without TLS.

        Raises:
            StrangerError: It does not come from the home's own server.
            MalformedError: It is none.
            NotFoundError: It belongs to none of the home's subscriptions.
            TransientError: That cannot be told yet.
        """
        if self._session is None:
            raise TransientError("notification: this home has not found its server yet")
        await self._session.notify(body, sender)

    @property
    def server_certificate(self) -> bytes | None:
        """What the present server showed, DER; None while none is connected."""
        return None if self._session is None else self._session.server_certificate

    def publish(self, report: Report, member: int = 0) -> None:
        """Tell the server what a device says of itself, now or when it can be reached.

        Args:
            report: What it says.
            member: Index of the device in `members`; 0 is the home itself.
        """
        who = self.members[member]
        who.report = report
        if self._session is not None:
            self._session.publish(report, who)

    def post_owed(self) -> None:
        """Have responses posted that somebody else has put into the ledger."""
        self._owed()

    def add_sample(self, sample: Sample) -> None:
        """Have a reading posted to its mirror usage point at the next post."""
        self._samples.add(sample)

    def log(self, happening: Happening) -> None:
        """Have something that happened here posted to the home's log at the server."""
        self.members[0].services.log.add(happening)

    async def _recall(self) -> None:
        """Take up where the last run ended, before anything else."""
        try:
            offset_s = await self._ledger.server_offset(self._settings.server)
            for member in self.members:
                member.engine.set_offset(offset_s or 0.0)
                await member.engine.load()
        except LedgerError as error:
            self._alarm(f"the ledger cannot be read, earlier events are not known: {error}")

    @contextlib.asynccontextmanager
    async def _listening(self, group: asyncio.TaskGroup) -> AsyncIterator[None]:
        """Listen for notifications while the context lasts."""
        listen = self._settings.listen
        if listen is None:
            yield
            return
        listener = Listener(
            self.handle_notification,
            self._listen_context,
            host=listen.host,
            port=listen.port,
            public_host=listen.public_host,
            public_port=listen.public_port,
            notice=self._notice,
        )
        inlet = Inlet(
            listener,
            f"{listen.host}:{listen.port}",
            self._rng,
            on_open=self._opened,
            alarm=self._alarm,
            longest_s=self._settings.pace.longest_retry_s,
        )
        if not await inlet.open():
            group.create_task(inlet.keep_trying())
        try:
            yield
        finally:
            await listener.close()

    def _opened(self, uri: str) -> None:
        self._notification_uri = uri
        if self._session is not None:
            self._session.listen(uri)

    async def _serve(self) -> None:
        moved: tuple[str, str] | None = None
        moves, start = 0, ""
        pace = self._settings.pace
        backoff = Backoff(self._rng, first_s=pace.first_retry_s, longest_s=pace.longest_retry_s)
        while True:
            base, dcap = moved or await self._locate()
            if moved is None:
                moves, start = 0, base
            found = self._settings.url is None or moved is not None
            moved = None
            if self._refused_of_late(base):  # which is what the owner should go on seeing
                self._tell(self._state.state, self._state.detail, base + dcap)
            else:
                self._tell("connecting", f"connecting to {base}", base + dcap)
            why: Sep2Error
            async with self._connect(base) as transport:
                session = self._new_session(transport, dcap, found=found)
                self._session = session
                try:
                    await session.run()
                except PinError as error:
                    self._refuse((start, base), error)
                    continue
                except (ServerLostError, OtherPeerError) as error:
                    self._alarm(str(error))
                    self._notice(Noticed(What.SERVER, str(error), error=error))
                    why = error
                except MovedError as error:
                    moves = 1 if session.trusted else moves + 1
                    moved = self._moved(error, moves)
                    why = error
                finally:
                    self._session = None
            if session.trusted:
                backoff.worked()
            if moved is None:
                await asyncio.sleep(backoff.failed(why))

    def _refuse(self, bases: Collection[str], error: PinError) -> None:
        """Send nothing more to a server for a while; events in force run on."""
        now = self._clock.monotonic()
        if not any(self._wrong_pins.knows(base, now) for base in bases):
            self._alarm(str(error))
        self._wrong_pins.add(set(bases), now)
        self._tell("refused", str(error))
        self._notice(Noticed(What.SERVER, str(error), error=error))

    def _moved(self, error: MovedError, moves: int) -> tuple[str, str] | None:
        """Return where the server says that it is now; None for where it was at first.

        That host is trusted no further than any other: its certificate is checked, and the PIN,
        before anything else is sent to it.
        """
        target = _split(error.url)
        refused = self._left_alone_s(target[0]) > 0
        if not refused and moves <= _MOVES and error.url.startswith("https://"):
            _log.warning("%s", error)
            return target
        self._tell("unreachable", str(error))
        return None

    def _new_session(self, transport: Transport, dcap: str, *, found: bool) -> Session:
        settings = self._settings
        session = Session(
            SessionSettings(
                server=settings.server,
                certificate=settings.certificate or settings.identity.lfdi,
                pace=settings.pace,
                level=settings.level,
                subscription_check_s=settings.subscription_check_s,
                found=found,
                notice_grace_s=settings.notice_grace_s,
            ),
            transport,
            dcap,
            Home(self.members, self._ledger, self._clock, self._rng, self._samples, self._proven),
            SessionEvents(self._tell, self._contact, self._alarm, self._notice),
        )
        if self._notification_uri is not None:
            session.listen(self._notification_uri)
        return session

    async def _locate(self) -> tuple[str, str]:
        """Return the server's origin and the path of its DeviceCapability."""
        if self._settings.url is not None:
            base, dcap = _split(self._settings.url)
            await asyncio.sleep(self._left_alone_s(base))
            return base, dcap
        if not self._refused_of_late():
            self._tell("searching", _SEARCHING, "")
        found = await self._search()
        return found.base, found.dcap

    def _refused_of_late(self, base: str | None = None) -> bool:
        """Whether the present state is that a server, or this one, did not know the PIN."""
        known = self._wrong_pins.knows(base, self._clock.monotonic())
        return known and self._state.state == "refused"

    def _left_alone_s(self, base: str) -> float:
        wait_s = self._wrong_pins.wait_s(base, self._clock.monotonic())
        return until_next_poll(wait_s, self._rng)

    async def _search(self) -> "discovery.Found":
        await load(discovery)
        aside: set[str] = set()
        async with discovery.Discovery(self._zeroconf) as listening:
            while True:
                try:
                    found = await listening.next()
                except MalformedError as error:
                    self._alarm(f"a server's announcement cannot be used: {error}")
                    continue
                wait_s = self._left_alone_s(found.base)
                if not wait_s:
                    return found
                # Another that announces itself meanwhile may be the home's own.
                if found.name not in aside:
                    asyncio.get_running_loop().call_later(wait_s, listening.again, found)
                aside.add(found.name)

    def _tell_schedule(self, index: int, schedule: Schedule) -> None:
        if index == 0:
            self._on_schedule(schedule)
        else:
            self._on_member(index, schedule)

    def _owed(self) -> None:
        if self._session is not None:
            self._session.outbox.wake()

    def _stepped(self) -> None:
        if self._session is not None:
            self._session.read_clocks()

    def _contact(self) -> None:
        for member in self.members:
            member.engine.contact()
        self._heard_at = self._clock.monotonic()
        self._state = ClientState(
            self._state.state, self._state.detail, self._state.server, self._clock.now()
        )

    def _tell(self, state: str, detail: str, server: str | None = None) -> None:
        before = self._state
        at = before.server if server is None else server
        self._state = ClientState(state, detail, at, before.last_contact)
        if (before.state, before.detail, before.server) != (state, detail, at):
            self._on_state(self._state)


def _split(url: str) -> tuple[str, str]:
    """Return the origin, and the path with its query, of an absolute URL."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{parts.netloc}", path or "/"


__all__ = ["Client", "ClientSettings", "ClientState", "ListenSettings"]
