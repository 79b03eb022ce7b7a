"""The live stream on a real socket: readers that leave, come back, are slow or read nothing."""

import asyncio
import json
import socket
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp
import pytest

from hems.access.rights import Role
from tests.waiting import until
from tests.web.agreed import OneRole
from tests.web.conftest import Served
from tests.web.surface import ScriptedHome
from web.server import serving
from web.settings import WebSettings

SOON_S = 5.0


class Events:
    """A reader of server-sent events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def block(self) -> list[str]:
        """Return the lines up to the next empty one; nothing at the stream's end."""
        lines = []
        async with asyncio.timeout(SOON_S):
            while (line := await self._response.content.readline()) not in {b"\n", b""}:
                lines.append(line.decode().rstrip("\n"))
        return lines

    async def snapshot(self) -> tuple[int, dict[str, Any]]:
        """Return the id and the data of the next snapshot message."""
        while True:
            fields = dict(line.partition(": ")[::2] for line in await self.block())
            assert fields, "the stream ended"
            if fields.get("event") == "snapshot":
                return int(fields["id"]), json.loads(fields["data"])


@pytest.mark.requirement("BUC-13")
async def test_the_stream_tells_each_new_snapshot(served: Served) -> None:
    async with served.client.get("/api/stream") as response:
        assert response.content_type == "text/event-stream"
        events = Events(response)
        assert (await events.snapshot())[0] == 1
        for net_w in (900.0, -250.0):
            played = await served.home.play(net_w=net_w)
            seq, home = await events.snapshot()
            assert (seq, home["seq"], home["net_w"]) == (played.seq, played.seq, net_w)


async def test_a_reader_that_comes_back_gets_the_present_state(served: Served) -> None:
    async with served.client.get("/api/stream") as response:
        assert (await Events(response).snapshot())[0] == 1
    for _ in range(5):
        await served.home.play()
    async with served.client.get("/api/stream", headers={"Last-Event-ID": "1"}) as response:
        assert (await Events(response).snapshot())[0] == 6


@pytest.mark.requirement("PRV-RBAC")
@pytest.mark.parametrize("role", [Role.HOUSEHOLD, Role.AGGREGATOR])
async def test_why_a_car_waits_is_told_to_who_may_steer_it(
    settings: WebSettings, role: Role
) -> None:
    home = ScriptedHome()
    waits = replace(home.now.devices[0], reason="Waits; ready by 06:30", wanted=True)
    home.now = replace(home.now, devices=(waits, *home.now.devices[1:]))
    said = waits.reason if role is Role.HOUSEHOLD else ""
    async with (
        serving(home, settings, door=OneRole(role)) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/stream") as response,
        client.get("/api/home") as answer,
    ):
        _, streamed = await Events(response).snapshot()
        for told in (streamed, await answer.json()):
            assert told["devices"][0]["reason"] == said
            assert [each["reason"] for each in told["devices"][1:]] == [
                each.reason for each in home.now.devices[1:]
            ]


async def test_a_silent_stream_says_that_it_lives(settings: WebSettings) -> None:
    async with (
        serving(ScriptedHome(), replace(settings, heartbeat_s=0.02)) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/stream") as response,
    ):
        events = Events(response)
        await events.snapshot()
        assert await events.block() == [": alive"]
        assert await events.block() == [": alive"]


async def test_streams_end_cleanly_when_the_hub_stops(settings: WebSettings) -> None:
    home = ScriptedHome()
    async with aiohttp.ClientSession() as client:
        async with serving(home, settings) as url:
            response = await client.get(f"{url}/api/stream")
            events = Events(response)
            await events.snapshot()
            assert home.readers == 1
        assert await events.block() == []
        assert response.content.at_eof()
    assert home.readers == 0


async def test_too_many_streams_are_refused(settings: WebSettings) -> None:
    async with (
        serving(ScriptedHome(), replace(settings, max_streams=1)) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/stream") as first,
    ):
        await Events(first).snapshot()
        async with client.get("/api/stream") as second:
            assert second.status == 503
            assert "no more live pages" in (await second.json())["error"]


async def test_a_reader_that_leaves_makes_room_though_nothing_happens(
    settings: WebSettings,
) -> None:
    home = ScriptedHome()
    async with (
        serving(home, replace(settings, max_streams=1, heartbeat_s=3600.0)) as url,
        aiohttp.ClientSession(url) as client,
    ):
        async with client.get("/api/stream") as first:
            await Events(first).snapshot()
            assert home.readers == 1
        await until(partial(_readers, home), lambda some: some == 0, SOON_S, "no reader")
        async with client.get("/api/stream") as second:
            assert (await Events(second).snapshot())[0] == 1


async def _readers(home: ScriptedHome) -> int:
    return home.readers


def _slow_socket(url: str) -> socket.socket:
    """Return a socket that asked for the stream and has not read a byte of it."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(SOON_S)
    slow.connect(("127.0.0.1", int(url.rpartition(":")[2])))
    slow.sendall(b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return slow


async def _play_until_stuck(home: ScriptedHome) -> None:
    """Play large snapshots until the only reader has stopped taking them."""
    alarms = ["a long-winded alarm " * 1000]
    untaken = 0
    for _ in range(2000):
        before = home.taken
        await home.play(alarms=alarms)
        for _ in range(20):  # let the server's tasks run; no time has to pass
            await asyncio.sleep(0)
        untaken = untaken + 1 if home.taken == before else 0
        if untaken > 50:
            return
    pytest.fail("a reader that reads nothing was sent everything")


async def test_a_slow_reader_skips_and_gets_the_newest(served: Served) -> None:
    with _slow_socket(served.url) as slow:
        async with served.client.get("/api/home"):
            pass  # a round trip: the slow reader's request is being served
        await _play_until_stuck(served.home)
        last = await served.home.play(net_w=777.0, alarms=[])
        seen = await asyncio.to_thread(_read_until, slow, f"id: {last.seq}\n")
    assert seen < last.seq - 40, "it skipped what it was too slow for"


def _read_until(slow: socket.socket, mark: str) -> int:
    """Read until `mark`; return how many snapshots came."""
    text = b""
    while mark.encode() not in text:
        chunk = slow.recv(65536)
        assert chunk, "the stream ended"
        text += chunk
    return text.count(b"\nevent: snapshot\n")


async def test_a_reader_that_reads_nothing_is_dropped(settings: WebSettings) -> None:
    home = ScriptedHome()
    async with serving(home, replace(settings, write_timeout_s=0.1)) as url:
        with _slow_socket(url):
            async with aiohttp.ClientSession(url) as client, client.get("/api/home"):
                pass
            await _play_until_stuck(home)
            async with asyncio.timeout(SOON_S):
                await home.left.wait()
        assert home.readers == 0
