"""A smart meter's customer port: it pushes a telegram every second or every ten, we listen.

Whoever reads gets the newest whole telegram at once, dated by its arrival.
"""

import asyncio
import time
from functools import partial
from typing import Final

from der.addresses import P1Address
from der.commands import Command, DeviceOptions, FirmwareVersion, Identify, Options
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.p1.newest import Memory, Newest
from der.errors import PermanentError, RejectedError, TransientError
from der.model import Connection, Reading, Safeguard, Setpoint
from der.sentence import say
from der.service import A, unsupported

_MOST_READ: Final = 4096
_FIRST_SHARE: Final = 0.9
"""So much of a call's deadline is spent on waiting for the first telegram: the error that names
the reason must come before the deadline's own."""


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects to a meter's customer port.

    Raises:
        PermanentError: The description has no P1 address.
    """
    del service
    if not isinstance(description.at, P1Address):
        raise PermanentError(f"{description.spec.id}: a customer port needs a P1 address")
    return partial(connect, description, description.at, now, Memory(description.spec.id))


async def connect(
    description: DeviceDescription, address: P1Address, now: Now, memory: Memory
) -> "P1Link":
    """Connect, and wait for the first telegram.

    Args:
        description: The meter.
        address: Where its adapter is.
        now: UTC epoch seconds, for the readings.
        memory: What is known of the meter from before.

    Raises:
        TransientError: Nothing is there, or no good telegram came in the time of a call.
    """
    name, wait_s = description.spec.id, description.deadline_s * _FIRST_SHARE
    place = f"{address.host}:{address.port}"
    newest = Newest(memory, description.spec.max_age_s)
    link: P1Link | None = None
    try:
        async with asyncio.timeout(wait_s):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, limit=_MOST_READ
            )
            link = P1Link(description, place, newest, now)
            link.listen(reader, writer)
            await link.first()
    except TimeoutError as error:
        if link is None:
            raise TransientError(
                say("{id}: {place} does not answer", id=name, place=place)
            ) from error
        await link.close()
        raise TransientError(
            say(
                "{id}: no good telegram from {place} within {seconds:.1f} s: {why}",
                id=name,
                place=place,
                seconds=wait_s,
                why=newest.silent(),
            )
        ) from error
    except OSError as error:
        raise TransientError(f"{name}: {place} cannot be reached: {error.strerror or error}") from (
            error
        )
    except BaseException:
        if link is not None:
            await link.close()
        raise
    return link


class P1Link:
    """A live connection to a customer port; made by `connect`."""

    def __init__(
        self, description: DeviceDescription, place: str, newest: Newest, now: Now
    ) -> None:
        self._name = description.spec.id
        self._inverted = description.inverted
        self._place = place
        self._newest = newest
        self._now = now
        self._arrived = asyncio.Event()
        self._ended: str | None = None
        self._listening: asyncio.Task[None] | None = None

    def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take in what comes, until the connection ends; called once."""
        self._listening = asyncio.create_task(
            self._listen(reader, writer), name=f"listen to {self._name}"
        )

    async def first(self) -> None:
        """Return when the first good telegram has come.

        Raises:
            TransientError: The connection ended before.
        """
        await self._arrived.wait()
        self._check()

    @property
    def connection(self) -> Connection:
        """The meter as its telegrams name it."""
        told = self._newest.telegram
        if told is None:
            return Connection(self._place)
        return Connection(self._place, told.maker, told.model, told.serial)

    @property
    def safeguard(self) -> Safeguard:
        """A meter takes nothing that would have to end."""
        return Safeguard()

    async def read(self) -> Reading:
        """Return the newest telegram.

        Raises:
            TransientError: The connection has ended, or no good telegram came lately.
        """
        self._check()
        telegram, at = self._newest.current(time.monotonic())
        return telegram.reading(at, inverted=self._inverted)

    async def write(self, setpoint: Setpoint | None) -> None:
        """Refuse: there is nothing to set.

        Raises:
            RejectedError: Always.
        """
        raise RejectedError(f"{self._name}: a meter takes no set-point ({setpoint})")

    async def ioctl(self, command: Command[A]) -> object:
        """Say who it is and what it can do."""
        match command:
            case Identify():
                return self.connection
            case FirmwareVersion():
                return ""
            case Options():
                return DeviceOptions(frozenset(), details=self._details())
            case _:
                raise unsupported(self._name, command)

    async def close(self) -> None:
        """End the connection."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})

    def _details(self) -> tuple[str, ...]:
        told = self._newest.telegram
        if told is None:
            return ()
        version = f"DSMR P1, version {told.version}" if told.version else "DSMR P1"
        return (version, "with checksum" if told.checked else "without checksum")

    def _check(self) -> None:
        if self._ended is not None:
            raise TransientError(f"{self._name}: {self._place}: {self._ended}")

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_MOST_READ):
                if self._newest.feed(data, time.monotonic(), self._now()):
                    self._arrived.set()
            self._ended = "the connection was closed"
        except OSError as error:
            self._ended = f"the connection is lost: {error.strerror or error}"
        finally:
            self._arrived.set()
            writer.close()
