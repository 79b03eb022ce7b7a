"""A charger as the hub knows it, over all its connections.

Chargers reconnect after each hiccup of a wireless link, often without a BootNotification; what
they said before still holds, and the limit that they had is sent again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from der.addresses import StationAddress
from der.drivers.ocpp.mandate import Mandate
from der.drivers.ocpp.record import Record
from der.drivers.ocpp.said import Said
from der.drivers.ocpp.session import Socket
from der.drivers.ocpp.words import Listener, Orders
from der.errors import DeviceError, TransientError
from der.model import Connection
from der.service import Inspect

_BOOT_GRACE_S: Final = 0.5
_PREPARING: Final = "preparation"
_TIME: Final = "request for its heartbeat"
_METER: Final = "request for meter values"
_RENEWAL: Final = "renewal of its limit"
_STRANGE: Final = "turned a charger away"

log = logging.getLogger(__name__)


def _welcome(connection: Connection) -> str | None:
    """Let whoever calls be spoken to."""
    del connection
    return None


def _nothing() -> None:
    """Do nothing."""


class Opener(Protocol):
    """Makes what speaks one version of OCPP on a connection."""

    def __call__(
        self, address: StationAddress, name: str, socket: Socket, said: Said, listener: Listener
    ) -> Orders:
        """Return it; no I/O."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """A version of OCPP.

    Attributes:
        name: For people.
        subprotocol: As WebSockets name it.
        open: Makes what speaks it.
    """

    name: str
    subprotocol: str
    open: Opener


class Station:
    """One charger: what it said last, what it was told last, and the connection if there is one.

    Args:
        address: The charger as configured.
        version: What it speaks.
        name: The device's id, with which all messages begin.
        most_w: The most that it can draw.
        now: UTC epoch seconds.
        monotonic: Seconds that never step.

    Attributes:
        stopped: Whether the hub has ended a transaction that it shall begin again.
        inspect: Asked whether who calls may be spoken to, each time it says who it is.
    """

    def __init__(
        self,
        address: StationAddress,
        version: Version,
        name: str,
        most_w: float,
        now: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = address
        self.version = version
        self.name = name
        self.said = Said(name, now)
        self.record = Record(address, self.said, most_w, now, monotonic=monotonic)
        self.record.on_news = self._renew_later
        self.record.on_boot = self._turned_away
        self.record.on_step = self._set_along
        self.inspect: Inspect = _welcome
        self._end: Callable[[], None] = _nothing
        self.mandate = Mandate(name, address.wiring, self.record, most_w, live=self.live)
        self.stopped = False
        self._orders: Orders | None = None
        self._ready = asyncio.Event()
        self._asks = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._review: asyncio.TimerHandle | None = None

    async def arrived(self) -> None:
        """Wait until the charger is connected and can be spoken to."""
        await self._ready.wait()

    @property
    def online(self) -> bool:
        """Whether the charger is connected and can be spoken to."""
        return self._ready.is_set()

    def live(self, what: str) -> Orders:
        """Return the present connection.

        Raises:
            TransientError: There is none; names what was wanted.
        """
        if self._orders is None:
            raise TransientError(f"{self.name}: {what}: the charger is not connected")
        return self._orders

    def attach(self, socket: Socket, end: Callable[[], None] | None = None) -> Orders:
        """Take a new connection; an older one is over.

        Args:
            socket: The connection.
            end: Ends it at once; None where that is not needed.
        """
        self._end = end or _nothing
        if self._orders is not None:
            self.detach(self._orders, "the charger has made a new connection")
        orders = self.version.open(self.address, self.name, socket, self.said, self.record)
        self._orders = orders
        self._asks = True
        self._spawn(self._prepare(orders))
        return orders

    def detach(self, orders: Orders, cause: str = "the charger has gone") -> None:
        """Let a connection go."""
        orders.session.lifeline.cut(cause)
        if self._orders is orders:
            self._orders = None
            self._ready.clear()
            self._review_at(None)
            for task in self._tasks:
                task.cancel()

    def ask_meter_values(self, max_age_s: float) -> None:
        """Ask for fresh meter values if the last are older than wanted; does not wait for them."""
        now = self.record.now()  # what is remembered may move along
        sample = self.record.sample
        fresh = sample is not None and now - sample.at <= max_age_s
        if not fresh and self._asks and self._orders is not None and self.online:
            self._asks = False  # one at a time; given back when it has been answered
            self._spawn(self._ask(self._orders))

    def review(self) -> None:
        """Have the limit told anew when its phases may be switched."""
        self._review_at(self.mandate.again_at)

    def _review_at(self, at: float | None) -> None:
        if self._review is not None:
            self._review.cancel()
            self._review = None
        if at is not None and self._orders is not None:
            delay_s = max(0.0, at - self.record.now())
            self._review = asyncio.get_running_loop().call_later(delay_s, self._renew_later)

    def _set_along(self, step_s: float) -> None:
        """Our clock was set: the charger's shall be, and what it keeps to goes by that."""
        self.mandate.shift(step_s)
        self.review()
        if self._orders is not None and self.online:
            self._spawn(self._set_clock(self._orders))

    async def _set_clock(self, orders: Orders) -> None:
        """Have a charger take the time, and then say what it has made of it."""
        await self._try(_TIME, orders.ask_heartbeat)
        await self._ask(orders)

    def _renew_later(self) -> None:
        if self._orders is not None and self.online:
            self._spawn(self._renew())

    async def _renew(self) -> None:
        await self._try(_RENEWAL, self.mandate.renew)
        self.review()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _prepare(self, orders: Orders) -> None:
        """Tell a charger that has connected what rules, and how often to report.

        A charger that has just started wants its BootNotification answered before anything else;
        one that has only reconnected sends none.
        """
        try:
            async with asyncio.timeout(_BOOT_GRACE_S):
                await orders.session.ready.wait()
        except TimeoutError:
            log.info("%s: the charger has reconnected without booting", self.name)
        if self._turned_away():
            return
        self._ready.set()
        await self._renew()
        address = self.address
        settings = partial(orders.configure, address.sample_s, any_card=not address.id_tags)
        await self._try(_PREPARING, self.mandate.fall_back)
        if self.mandate.bare:
            await self._renew()  # then each limit has to go over into it by itself
        for work in (settings, orders.ask_status):
            await self._try(_PREPARING, work)
        log.info("%s: the charger is ready", self.name)

    def _turned_away(self) -> bool:
        """End the connection of one that is not to be spoken to; returns whether it was ended."""
        why = self.inspect(self.record.connection)
        if why is None:
            self.said.over(_STRANGE)
            return False
        self.said.warn(_STRANGE, why)
        self.record.forget_who()
        if self._orders is not None:
            self.detach(self._orders, why)
        self._end()
        return True

    async def _try(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """One setting that a charger refuses must not keep the others from it."""
        try:
            await work()
        except DeviceError as error:
            self.said.warn(what, str(error).removeprefix(f"{self.name}: "))

    async def _ask(self, orders: Orders) -> None:
        try:
            await orders.ask_meter_values()
        except DeviceError as error:
            # Not asked again on this connection: a call without answer holds up the next limit.
            self.said.warn(_METER, str(error).removeprefix(f"{self.name}: {_METER}: "))
            return
        self._asks = True
