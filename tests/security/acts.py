"""How a hostile server answers: bombs, drips, bodies and headers without an end."""

import asyncio
import gzip
import time

from aiohttp import web

from hems.sep2.resources.wire import SEP_NS
from hems.sep2.xml import MEDIA_TYPE
from tests.faults.scripted import control, control_list


async def bomb(request: web.Request) -> web.StreamResponse:
    """A few kB that are 64 MB."""
    del request
    headers = {"Content-Encoding": "gzip", "Content-Type": MEDIA_TYPE}
    return web.Response(body=gzip.compress(b"<a/>" * (16 << 20)), headers=headers)


async def endless(request: web.Request) -> web.StreamResponse:
    """A body without an end."""
    answer = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
    await answer.prepare(request)
    await answer.write(f'<DERControlList xmlns="{SEP_NS}" all="0" results="0">'.encode())
    while True:
        await answer.write(b" " * 65_536)


async def drips(request: web.Request) -> web.StreamResponse:
    """A body of which one octet comes each half second."""
    answer = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.5)


async def headers(request: web.Request) -> web.StreamResponse:
    """Headers without an end."""
    transport = request.transport
    assert transport is not None
    transport.write(b"HTTP/1.1 200 OK\r\n")
    while not transport.is_closing():
        transport.write(b"X-More: " + b"a" * 4000 + b"\r\n")
        await asyncio.sleep(0.01)
    raise ConnectionResetError


async def lies_long(request: web.Request) -> web.StreamResponse:
    """Says a length, gives less, and hangs up."""
    transport = request.transport
    assert transport is not None
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: 4000\r\n\r\n<a"
    transport.write(head.encode())
    await asyncio.sleep(0.1)
    transport.close()
    raise ConnectionResetError


async def splits(request: web.Request) -> web.StreamResponse:
    """Sends a second answer behind the first one, for the next request."""
    transport = request.transport
    assert transport is not None
    body = b"<x/>"
    one = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 4\r\n\r\n%s" % (
        MEDIA_TYPE.encode(),
        body,
    )
    transport.write(one * 3)
    await asyncio.sleep(0.2)
    transport.close()
    raise ConnectionResetError


async def grows(request: web.Request) -> web.StreamResponse:
    """A list of a million items, one new on each page."""
    start = int(request.query.get("s", "0"))
    item = control(f"{start + 4096:08X}", start=int(time.time()) + 90_000)
    body = control_list([item]).replace(b'all="1"', b'all="1000000"')
    return web.Response(body=body, content_type=MEDIA_TYPE)


async def denies(request: web.Request) -> web.StreamResponse:
    """Asks to come again in thirty years."""
    del request
    return web.Response(status=503, headers={"Retry-After": "999999999"})
