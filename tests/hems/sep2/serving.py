"""A real HTTP server on loopback that answers as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.xml import MEDIA_TYPE, serialize

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TIME = res.Time(
    current_time=1_700_000_000,
    dst_end_time=0,
    dst_offset=0,
    dst_start_time=0,
    quality=4,
    tz_offset=0,
)


def sep(record: res.Resource, **headers: str) -> web.Response:
    return web.Response(body=serialize(record), content_type=MEDIA_TYPE, headers=headers)


@asynccontextmanager
async def talking_to(handler: Handler, *, limits: Limits | None = None) -> AsyncIterator[Transport]:
    """Give a transport to a server that answers everything with one handler."""
    app = web.Application(client_max_size=1 << 22)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield await stack.enter_async_context(Transport(base, limits=limits))


@asynccontextmanager
async def raw_server(talk: Callable[[Reader, Writer], Awaitable[None]]) -> AsyncIterator[int]:
    """Give the port of a TCP server; at the end every connection to it is closed."""
    talking: list[asyncio.Task[None]] = []

    async def connected(reader: Reader, writer: Writer) -> None:
        async def until_closed() -> None:
            with suppress(OSError):  # the client may hang up first
                await talk(reader, writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

        talking.append(asyncio.create_task(until_closed()))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    async with asyncio.timeout(10):
        await asyncio.gather(*talking)
