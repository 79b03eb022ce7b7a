"""Keeps the charger connected to its central system, one connection after another."""

import asyncio
from urllib.parse import urlsplit

import aiohttp

from der.sim.charge_point import Connection
from der.sim.charger import Charger
from der.sim.faults import Fault, FaultKind
from der.sim.ocpp_wire import ConnectionEndedError, FaultySocket

SUBPROTOCOL = "ocpp1.6"
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 1.0
CONNECT_S = 5.0
CLOSE_S = 0.5
CANCEL_AGAIN_S = 0.1


class ChargerLink:
    """The charger's network side.

    Args:
        url: Address of the central system, the charger's identity as the last part of the path.
        charger: The charger.
        fault: What goes wrong with it.
    """

    def __init__(self, url: str, charger: Charger, fault: Fault) -> None:
        self.fault = fault
        self._url = url
        self._identity = urlsplit(url).path.rsplit("/", 1)[-1]
        self._charger = charger
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection stands."""
        return self._connection is not None

    def tick(self) -> None:
        """Let the connection see whether there is something to report."""
        if self._connection is not None:
            self._connection.wake.set()

    async def run(self) -> None:
        """Connect for ever."""
        retry_s = FIRST_RETRY_S
        async with aiohttp.ClientSession() as session:
            while True:
                while self.fault.kind is FaultKind.OFF:
                    await self.fault.until_changed()
                if await self._connect(session):
                    retry_s = FIRST_RETRY_S
                # Not a wait for something to happen: the pause is the behaviour.
                await asyncio.sleep(retry_s)
                retry_s = min(LONGEST_RETRY_S, retry_s * 2)

    async def _connect(self, session: aiohttp.ClientSession) -> bool:
        """Hold one connection until it ends; returns whether there was one."""
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await session.ws_connect(
                    self._url,
                    protocols=(SUBPROTOCOL,),
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    max_msg_size=1 << 20,
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        try:
            if socket.protocol != SUBPROTOCOL:
                return False
            connection = Connection(self._identity, FaultySocket(socket, self.fault), self._charger)
            self._connection = connection
            await self._converse(connection)
            return True
        finally:
            self._connection = None
            await socket.close()

    async def _converse(self, connection: Connection) -> None:
        # Not a task group: one that is cancelled just as a task of it fails loses the cancellation
        # (until Python 3.13), and the charger would never stop.
        tasks = [
            asyncio.create_task(connection.start()),
            asyncio.create_task(connection.report()),
            asyncio.create_task(self._until_off()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            endings = await _ended(tasks)
        for ending in endings:
            if isinstance(ending, ConnectionEndedError | asyncio.CancelledError):
                continue
            raise RuntimeError("the charger's connection broke") from ending

    async def _until_off(self) -> None:
        while self.fault.kind is not FaultKind.OFF:
            await self.fault.until_changed()
        raise ConnectionEndedError("switched off")


async def _ended(tasks: list[asyncio.Task[None]]) -> list[BaseException | None]:
    """Cancel tasks until each has ended; returns what each ended with.

    More than once, because `asyncio.wait_for`, which the ocpp library uses, loses a cancellation
    that comes together with the answer it waits for (until Python 3.12).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
    return [asyncio.CancelledError() if task.cancelled() else task.exception() for task in tasks]
