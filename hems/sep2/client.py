"""The home's IEEE 2030.5 client: finds its server, keeps to it, survives its faults.

`Client.run` serves until it is cancelled. What the server does wrong ends in a state and a
sentence for the owner, never in an exception; only the registration PIN ends all traffic.
"""

import asyncio
import contextlib
import logging
import os
import random
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from zeroconf.asyncio import AsyncZeroconf

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.book import BookSettings
from hems.sep2.der import DerReport
from hems.sep2.discovery import Discovery, Found
from hems.sep2.engine import Engine
from hems.sep2.errors import MalformedError, NotFoundError, PinError, TransientError
from hems.sep2.events import Event, Schedule
from hems.sep2.http import Transport
from hems.sep2.ledger import Ledger, LedgerError
from hems.sep2.lifecycle import Profile
from hems.sep2.listener import Listener
from hems.sep2.mirror import MirrorSpec, Sample, Samples
from hems.sep2.registration import Identity
from hems.sep2.session import Home, ServerLostError, Session, SessionEvents, SessionSettings
from hems.sep2.walker import Pace

_log = logging.getLogger(__name__)

_SEARCHING: Final = "looking for a utility server on this network"


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where notifications come in; see `hems.sep2.listener.Listener`.

    Raises:
        ValueError: It listens on every address and does not say under which the utility comes in.
    """

    host: str
    port: int = 0
    public_host: str | None = None
    public_port: int | None = None

    def __post_init__(self) -> None:
        if self.public_host is None and self.host in ("", "0.0.0.0", "::"):  # noqa: S104
            raise ValueError(f"listening on {self.host or 'all addresses'} needs a public_host")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How the home talks to its utility.

    Attributes:
        identity: Who the home is.
        server: Name under which this utility's events are kept; must not change over restarts.
        url: Of its DeviceCapability; None to find the server by DNS-SD.
        profile: What the home can do and how it answers.
        binding: Tells whether the owner may not leave an event; None for what 2030.5 flags.
        pace: Bounds of the poll rate.
        comms_loss_s: Time without contact after which no further event begins.
        listen: Where notifications come in; None to poll only.
        mirrors: Usage points to keep up at the server.
        level: Extensibility level of subscriptions.
        subscription_check_s: How often subscriptions are checked.
    """

    identity: Identity
    server: str
    url: str | None = None
    profile: Profile = field(default_factory=Profile)
    binding: Callable[[Event], bool] | None = None
    pace: Pace = field(default_factory=Pace)
    comms_loss_s: float = 3600.0
    listen: ListenSettings | None = None
    mirrors: Sequence[MirrorSpec] = ()
    level: str = "+S1"
    subscription_check_s: float = 900.0


@dataclass(frozen=True, slots=True)
class ClientState:
    """How the link to the utility stands.

    Attributes:
        state: "off" before `run`, "searching", "connecting", "connected", "unreachable", "refused".
        detail: One sentence for the owner.
        server: The server's URL, empty while none is found.
        last_contact: UTC epoch seconds of its last good answer; None if never.
    """

    state: str
    detail: str
    server: str = ""
    last_contact: float | None = None


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
        on_state: Told when the link's state changes.
        alarm: Told in one sentence what somebody should know.
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
        zeroconf: AsyncZeroconf | None = None,
        on_schedule: Callable[[Schedule], None] = lambda _schedule: None,
        on_state: Callable[[ClientState], None] = lambda _state: None,
        alarm: Callable[[str], None] = _log.warning,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._listen_context = listen_context
        self._zeroconf = zeroconf
        self._on_state = on_state
        self._alarm = alarm
        self._state = ClientState("off", "not started")
        self._session: Session | None = None
        self._report: DerReport | None = None
        self._samples = Samples()
        book = BookSettings(settings.server, settings.identity.lfdi, settings.profile)
        if settings.binding is not None:
            book = BookSettings(book.server, book.lfdi, book.profile, settings.binding)
        self.engine = Engine(
            book,
            ledger,
            clock,
            rng,
            comms_loss_s=settings.comms_loss_s,
            on_schedule=on_schedule,
            on_owed=self._owed,
            on_step=self._stepped,
            alarm=alarm,
        )

    @property
    def state(self) -> ClientState:
        """How the link to the utility stands."""
        return self._state

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._recall()
        async with asyncio.TaskGroup() as group, self._listening() as uri:
            group.create_task(self.engine.run())
            await self._serve(uri)

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

    def publish_der(self, report: DerReport) -> None:
        """Tell the server about the home's DER, now or when it can be reached."""
        self._report = report
        if self._session is not None:
            self._session.publish(report)

    def add_sample(self, sample: Sample) -> None:
        """Have a reading posted to its mirror usage point at the next post."""
        self._samples.add(sample)

    async def post_log_event(self, event: res.LogEvent) -> None:
        """Post a log event.

        Raises:
            NotFoundError: There is no server, or it keeps no log for this home.
            Sep2Error: It could not be posted.
        """
        if self._session is None:
            raise NotFoundError("log event: there is no server to take it")
        await self._session.log_event(event)

    async def _recall(self) -> None:
        """Take up where the last run ended, before anything else."""
        try:
            offset_s = await self._ledger.server_offset(self._settings.server)
            self.engine.set_offset(offset_s or 0.0)
            await self.engine.load()
        except LedgerError as error:
            self._alarm(f"the ledger cannot be read, earlier events are not known: {error}")

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[str | None]:
        """Listen for notifications while the context lasts; gives the notificationURI."""
        listen = self._settings.listen
        if listen is None:
            yield None
            return
        listener = Listener(
            self.handle_notification,
            self._listen_context,
            host=listen.host,
            port=listen.port,
            public_host=listen.public_host,
            public_port=listen.public_port,
        )
        uri: str | None = None
        try:
            uri = await listener.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error.strerror
            self._alarm(f"no notifications, {listen.host}:{listen.port} cannot be used: {why}")
        try:
            yield uri
        finally:
            await listener.close()

    async def _serve(self, uri: str | None) -> None:
        while True:
            base, dcap = await self._locate()
            self._tell("connecting", f"connecting to {base}", base + dcap)
            async with self._connect(base) as transport:
                session = self._new_session(transport, dcap, uri)
                self._session = session
                try:
                    await session.run()
                except PinError as error:
                    self._tell("refused", str(error))
                    self._alarm(str(error))
                    break
                except ServerLostError as error:
                    self._alarm(str(error))
                finally:
                    self._session = None
        await asyncio.Event().wait()  # refused: events in force run on, but nothing more is sent

    def _new_session(self, transport: Transport, dcap: str, uri: str | None) -> Session:
        settings = self._settings
        session = Session(
            SessionSettings(
                identity=settings.identity,
                server=settings.server,
                pace=settings.pace,
                mirrors=settings.mirrors,
                level=settings.level,
                subscription_check_s=settings.subscription_check_s,
                notification_uri=uri,
                announced=settings.url is None,
            ),
            transport,
            dcap,
            Home(self.engine, self._ledger, self._clock, self._rng, self._samples),
            SessionEvents(self._tell, self._contact, self._alarm),
        )
        if self._report is not None:
            session.publish(self._report)
        return session

    async def _locate(self) -> tuple[str, str]:
        """Return the server's origin and the path of its DeviceCapability."""
        if self._settings.url is not None:
            parts = urlsplit(self._settings.url)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            return f"{parts.scheme}://{parts.netloc}", path or "/"
        self._tell("searching", _SEARCHING, "")
        found = await self._search()
        return found.base, found.dcap

    async def _search(self) -> Found:
        async with Discovery(self._zeroconf) as discovery:
            while True:
                try:
                    return await discovery.next()
                except MalformedError as error:
                    self._alarm(f"a server's announcement cannot be used: {error}")

    def _owed(self) -> None:
        if self._session is not None:
            self._session.outbox.wake()

    def _stepped(self) -> None:
        if self._session is not None:
            self._session.read_clocks()

    def _contact(self) -> None:
        self.engine.contact()
        self._state = ClientState(
            self._state.state, self._state.detail, self._state.server, self._clock.now()
        )

    def _tell(self, state: str, detail: str, server: str | None = None) -> None:
        before = self._state
        at = before.server if server is None else server
        self._state = ClientState(state, detail, at, before.last_contact)
        if (before.state, before.detail, before.server) != (state, detail, at):
            self._on_state(self._state)
