"""Keeps the charger connected to its central system, one connection after another."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from der.sim.errors import OptionError
from der.sim.faults import Fault, FaultKind
from der.sim.ocpp.charge_point import Connection
from der.sim.ocpp.charge_point16 import Connection16
from der.sim.ocpp.charge_point201 import Connection201
from der.sim.ocpp.charger import Charger
from der.sim.ocpp.wire import ConnectionEndedError, FaultySocket

VERSIONS: Mapping[str, type[Connection]] = {
    "ocpp1.6": Connection16,
    "ocpp2.0.1": Connection201,
}
"""By subprotocol."""

FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 1.0
CONNECT_S = 5.0
CLOSE_S = 0.5
CANCEL_AGAIN_S = 0.1
AWAY = frozenset({FaultKind.OFF, FaultKind.REBOOT})


@dataclass(frozen=True, slots=True)
class Calling:
    """How a charger calls its central system.

    Attributes:
        url: Its address, the charger's identity as the last part of the path.
        subprotocol: What the charger speaks.
        password: For HTTP basic authentication, "" for none.
        trust: Root certificates that the central system's chain must end in; None for the usual.
        certificate: The charger's own chain; None to show none.
        key: Its private key.
    """

    url: str
    subprotocol: str = "ocpp1.6"
    password: str = field(default="", repr=False)
    trust: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def identity(self) -> str:
        """What it calls itself."""
        return urlsplit(self.url).path.rsplit("/", 1)[-1]

    def headers(self) -> Mapping[str, str]:
        """Return the HTTP headers of its calls."""
        if not self.password:
            return {}
        return {"Authorization": aiohttp.encode_basic_auth(self.identity, self.password)}

    def tls(self) -> ssl.SSLContext | bool:
        """Return what it calls with over TLS.

        Raises:
            OptionError: A file cannot be read.
        """
        if urlsplit(self.url).scheme != "wss":
            return True
        try:
            context = ssl.create_default_context(cafile=self.trust)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            raise OptionError(f"--ocpp-trust, --ocpp-certificate, --ocpp-key: {error}") from error
        return context


class ChargerLink:
    """The charger's network side.

    Args:
        calling: How it calls.
        charger: The charger.

    Raises:
        OptionError: A certificate cannot be read.
    """

    def __init__(self, calling: Calling, charger: Charger) -> None:
        self.fault: Fault = charger.fault
        self._calling = calling
        self._tls = calling.tls()
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
                while self.fault.kind in AWAY:
                    if self.fault.kind is FaultKind.REBOOT:
                        self._charger.restarted()
                    await self.fault.until_changed()
                if await self._connect(session):
                    retry_s = FIRST_RETRY_S
                # Not a wait for something to happen: the pause is the behaviour.
                await asyncio.sleep(retry_s)
                retry_s = min(LONGEST_RETRY_S, retry_s * 2)

    async def _connect(self, session: aiohttp.ClientSession) -> bool:
        """Hold one connection until it ends; returns whether there was one."""
        calling = self._calling
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await session.ws_connect(
                    calling.url,
                    protocols=(calling.subprotocol,),
                    headers=calling.headers(),
                    ssl=self._tls,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    max_msg_size=1 << 20,
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        try:
            if socket.protocol != calling.subprotocol:
                return False
            connection = VERSIONS[calling.subprotocol](
                calling.identity, FaultySocket(socket, self.fault), self._charger
            )
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
            asyncio.create_task(self._until_away()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            endings = await _ended(tasks)
        for ending in endings:
            if isinstance(ending, ConnectionEndedError | asyncio.CancelledError):
                continue
            raise RuntimeError("the charger's connection broke") from ending

    async def _until_away(self) -> None:
        while self.fault.kind not in AWAY:
            await self.fault.until_changed()
        raise ConnectionEndedError("switched off, or restarting")


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
