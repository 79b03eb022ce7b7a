"""One connection to a host, shared by the units behind it: they take turns.

Many gateways, and some inverters with a meter behind them, accept one or two connections. So all
units of one host, port and transport share one, first come first served. What one unit does wrong
stays its own affair as far as the protocol allows:

- It does not answer: its user is out. Where answers are numbered the connection goes on, and a
  late answer is dropped; where they are not (RTU) a late answer could be taken for another's, so
  the connection is closed and the next user's turn opens a new one.
- It answers garbage: its user is out, the connection is closed, the next turn opens a new one.
- The other end closes the connection: all users are out. Whoever it was may have started anew
  and forgotten what it was told; each user's driver has to look again.
"""

import asyncio
import ssl
from typing import Protocol

from pymodbus.pdu import ModbusPDU

from der.addresses import ModbusAddress, Transport
from der.drivers.modbus.framing import Framing, MbapFraming, RtuFraming
from der.drivers.modbus.tls import TlsFilesError, client_context
from der.drivers.modbus.wire import Wire, WireError, connect
from der.peer import Peer
from der.sentence import say


class User(Protocol):
    """Who speaks through a channel: one unit's connection."""

    @property
    def ended(self) -> str | None:
        """Why it speaks no more; None while it does."""
        ...

    def end(self, cause: str) -> None:
        """Learn that the connection is over."""
        ...


class Channel:
    """A connection with those who use it; made by `ModbusPool`."""

    def __init__(self, address: ModbusAddress) -> None:
        self._address = address
        self._users: list[User] = []
        self._lock = asyncio.Lock()
        self._wire: Wire | None = None
        self._asking: User | None = None
        self._numbered = True
        self._failures = 0
        self._failure: WireError | None = None

    @property
    def peer(self) -> Peer:
        """Who is at the other end, as of the last connection."""
        return Peer() if self._wire is None else self._wire.peer

    def join(self, user: User) -> None:
        """Become a user."""
        self._users.append(user)

    def leave(self, user: User) -> None:
        """Use it no more; it is closed when nobody does.

        A question of the user that is under way ends with the cause why the user ended.
        """
        if user in self._users:
            self._users.remove(user)
        cause = user.ended or "connection is closed"
        if self._wire is not None and not self._users:
            self._wire.end(cause)
        elif self._wire is not None and self._asking is user:
            self._wire.release(cause)

    async def open(self, seconds: float) -> None:
        """Connect, unless that is done.

        Raises:
            WireError: Nobody listens there, or nobody answers in time, or TLS failed.
        """
        failures = self._failures
        async with self._lock:
            await self._connected(seconds, failures)

    async def ask(self, user: User, request: ModbusPDU, seconds: float) -> ModbusPDU:
        """Ask when it is the user's turn, and return the answer.

        Args:
            user: Who asks.
            request: What.
            seconds: Longest wait for the answer, and for a new connection where one is needed;
                waiting for one's turn does not count.

        Raises:
            WireError: The connection ended, before or while asking.
            TimeoutError: No answer in time.
        """
        failures = self._failures
        async with self._lock:
            if user.ended is not None:
                raise WireError(user.ended)
            wire = await self._connected(seconds, failures)
            self._asking = user
            try:
                async with asyncio.timeout(seconds):
                    return await wire.ask(request)
            except asyncio.CancelledError:
                user.end("a call was given up")
                raise
            finally:
                self._asking = None
                self._numbered = self._numbered and wire.numbered
                if wire.unanswered:
                    self._give_up(wire, user)

    async def _connected(self, seconds: float, failures: int) -> Wire:
        """Return a connection that stands, a new one where needed.

        Args:
            seconds: Longest wait.
            failures: How many attempts had failed when the caller began to wait for its turn. One
                that failed meanwhile counts for all who waited: they need not fail one by one.
        """
        if self._wire is not None and self._wire.ended is None:
            return self._wire
        if self._failure is not None and self._failures > failures:
            raise WireError(str(self._failure), lasting=self._failure.lasting)
        before = None if self._wire is None else self._wire.peer
        rtu = self._address.transport is Transport.RTU_OVER_TCP
        framing: Framing = RtuFraming() if rtu else MbapFraming()
        try:
            async with asyncio.timeout(seconds):
                self._wire = await connect(
                    self._address, framing, _context(self._address), self._closed
                )
        except TimeoutError as error:
            raise self._failed(
                WireError(say("no answer within {timeout:g} s", timeout=seconds))
            ) from error
        except WireError as error:
            raise self._failed(error) from error.__cause__
        if before is not None and before.key != self._wire.peer.key:
            # Those who spoke to the one before have not seen this one yet.
            self._wire.end("another key was shown than before")
            self._closed("another key was shown than before")
            raise self._failed(WireError("another key was shown than before"))
        return self._wire

    def _failed(self, failure: WireError) -> WireError:
        self._failures += 1
        self._failure = failure
        return failure

    def _give_up(self, wire: Wire, user: User) -> None:
        """Leave the connection in a state in which nobody gets another's answer."""
        if self._numbered and any(other is not user for other in self._users):
            wire.give_up()
        else:
            wire.end("a call was given up")

    def _closed(self, cause: str) -> None:
        """Tell all users that the other end closed the connection."""
        for user in list(self._users):
            user.end(cause)


def _context(address: ModbusAddress) -> ssl.SSLContext | None:
    """Return what TLS needs, out of the files as they are now; None for the other transports."""
    if address.transport is not Transport.TLS:
        return None
    if address.tls is None:
        raise WireError("transport tls needs tls_trust, the device's roots", lasting=True)
    try:
        return client_context(address.tls)
    except TlsFilesError as error:
        raise WireError(str(error), lasting=True) from error
