"""A wire between the hub and somebody it calls, on which an attacker can sit down."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from hems.commands.stage import LOOPBACK

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_PIECE: Final = 65_536


@dataclass
class Relay:
    """A port that leads to another one, or to an attacker.

    Attributes:
        target: Where it leads.
        port: Where it listens.
        attacker: Who answers instead; None for nobody.
        calls: How often it was called since somebody else has answered.
    """

    target: int
    port: int = 0
    attacker: Serve | None = None
    calls: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def taken_over(self, attacker: Serve | None) -> None:
        """Have somebody answer from now on; all connections are cut."""
        self.attacker, self.calls = attacker, 0
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection."""
        self._open.add(writer)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                self.calls += 1
                if self.attacker is not None:
                    await self.attacker(reader, writer)
                else:
                    await self.pass_on(self.target, reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()  # what was said last, such as a TLS alert, still gets there

    async def pass_on(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass a connection on to a port of this machine."""
        there, here = await asyncio.open_connection(LOOPBACK, port)
        self._open.add(here)
        ways = [asyncio.create_task(_pump(reader, here)), asyncio.create_task(_pump(there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._open.discard(here)
            here.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on a free port while the context lasts; gives the port."""
    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    doors = server.sockets
    try:
        yield doors[0].getsockname()[1]
    finally:
        # Who called just now is let in first: asyncio would leave that socket open for ever.
        for door in doors:
            asyncio.get_running_loop().remove_reader(door.fileno())
        await asyncio.sleep(0)
        server.close()


@asynccontextmanager
async def relayed(target: int) -> AsyncIterator[Relay]:
    """Relay to a port while the context lasts."""
    relay = Relay(target)
    try:
        async with listening(relay.serve) as relay.port:
            yield relay
    finally:
        relay.taken_over(None)
        await asyncio.sleep(0)
