"""The way in for notifications, at senders who do not end and work that fails."""

import asyncio

import pytest

from hems.sep2.errors import PermanentError, Sep2Error
from hems.sep2.transport.listener import PATH, Listener
from hems.sep2.xml import MEDIA_TYPE

pytestmark = pytest.mark.requirement("PRO-2030.5")


async def _send(uri: str, head: bytes, body: bytes) -> bytes:
    port = int(uri.split(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"POST {PATH} HTTP/1.1", "Host: home", f"Content-Type: {MEDIA_TYPE}"]
    writer.write("\r\n".join(lines).encode() + b"\r\n" + head + b"\r\n\r\n" + body)
    async with asyncio.timeout(8):
        line = await reader.readline()
    writer.close()
    return line


async def test_a_body_that_drips_is_given_up() -> None:
    taken: list[bytes] = []

    async def handle(body: bytes, _sender: str | None) -> None:
        taken.append(body)

    listener = Listener(handle, None, host="127.0.0.1", read_s=0.1)
    uri = await listener.start()
    try:
        assert b" 408 " in await _send(uri, b"Content-Length: 10", b"<")
        assert b" 204 " in await _send(uri, b"Content-Length: 1", b"<")
    finally:
        await listener.close()
    assert taken == [b"<"]


@pytest.mark.parametrize("error", [PermanentError("curve"), Sep2Error("anything")])
async def test_what_it_leads_to_may_fail_and_is_asked_for_again(error: Sep2Error) -> None:
    async def handle(_body: bytes, _sender: str | None) -> None:
        raise error

    listener = Listener(handle, None, host="127.0.0.1")
    uri = await listener.start()
    try:
        assert b" 503 " in await _send(uri, b"Content-Length: 1", b"<")
    finally:
        await listener.close()
