"""A source of weather on a real server and as a file: good, failing, too long, too slow, back."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from hems.planning import weather_source
from hems.planning.weather_source import WeatherSource
from tests.waiting import until

NOON = 1_795_262_400.0  # 2026-11-21T12:00Z
ANSWER = json.dumps(
    {
        "hourly": {
            "time": ["2026-11-21T12:00", "2026-11-21T13:00"],
            "shortwave_radiation": [200.0, 100.0],
        }
    }
)


class Held:
    """A clock that stands."""

    def now(self) -> float:
        return NOON + 60.0

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Server:
    """Answers as it is told to."""

    body: bytes = ANSWER.encode()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    asked: int = 0
    url: str = ""

    async def answer(self, _request: web.Request) -> web.StreamResponse:
        self.asked += 1
        await asyncio.sleep(self.wait_s)
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_get("/v1/forecast", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/v1/forecast?apikey=sesame"
    yield made
    await runner.cleanup()


@pytest.mark.requirement("ROLE-CEM")
async def test_a_server_is_read(server: Server) -> None:
    source = WeatherSource(server.url, Held())
    assert source.told is None
    assert await source.read()
    assert source.trouble is None
    assert source.told is not None
    assert source.told.irradiance_w_m2 == (200.0, 100.0)
    assert source.told.start == NOON - 3600.0
    assert source.told.told_at == NOON + 60.0


@pytest.mark.parametrize(
    ("header", "told_at"),
    [
        ("Sat, 21 Nov 2026 06:00:00 GMT", NOON - 6 * 3600.0),
        ("Sat, 21 Nov 2027 06:00:00 GMT", NOON + 60.0),
        ("yesterday", NOON + 60.0),
    ],
)
async def test_an_old_answer_says_so_itself(server: Server, header: str, told_at: float) -> None:
    server.headers = {"Last-Modified": header}
    source = WeatherSource(server.url, Held())
    assert await source.read()
    assert source.told is not None
    assert source.told.told_at == told_at


async def test_what_was_told_is_kept_and_each_change_is_logged_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, weather_source.__name__)
    source = WeatherSource(server.url, Held())
    assert await source.read()
    kept = source.told
    server.status = 503
    assert not await source.read()
    server.status, server.body = 200, b"{"
    assert not await source.read()
    assert source.told is kept
    assert source.trouble is not None
    assert "not JSON" in source.trouble
    server.body = ANSWER.encode()
    assert await source.read()
    assert await source.read()
    assert source.trouble is None
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" ")[0] for line in lines] == ["weather", "no", "weather"]
    assert "it answered 503 Service Unavailable; what it told before is kept" in lines[1]
    assert lines[2].endswith("is back")
    assert not any("sesame" in line for line in [*lines, str(source.trouble)])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b" " * 1_000_001, "longer than 1000000 bytes"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not a JSON object"),
    ],
)
async def test_a_bad_answer_is_refused(server: Server, body: bytes, words: str) -> None:
    server.body = body
    source = WeatherSource(server.url, Held())
    assert not await source.read()
    assert source.told is None
    assert words in (source.trouble or "")


async def test_a_slow_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather_source, "_TIMEOUT_S", 0.2)
    server.wait_s = 1.0
    source = WeatherSource(server.url, Held())
    assert not await source.read()
    assert "no answer within 0.2 s" in (source.trouble or "")


async def test_a_server_that_sends_round_in_circles_is_given_up(server: Server) -> None:
    server.status, server.headers = 302, {"Location": server.url}
    source = WeatherSource(server.url, Held())
    assert not await source.read()
    assert server.asked <= 4
    assert "sesame" not in (source.trouble or "")


async def test_one_that_points_into_the_file_system_is_not_followed(server: Server) -> None:
    server.status, server.headers = 302, {"Location": "file:///etc/passwd"}
    source = WeatherSource(server.url, Held())
    assert not await source.read()
    assert source.told is None


@pytest.mark.parametrize(
    "where",
    ["http://127.0.0.1:1/x?key=sesame", "http://u:sesame@[::1", "http://", "https://127.0.0.1:x/"],
)
async def test_an_address_where_nobody_is(where: str) -> None:
    source = WeatherSource(where, Held())
    assert not await source.read()
    assert source.trouble
    assert "sesame" not in source.trouble


@pytest.mark.requirement("ROLE-CEM")
async def test_a_file_is_read_and_as_old_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "weather.json"
    file.write_text(ANSWER)
    os.utime(file, (NOON - 9000.0, NOON - 9000.0))
    source = WeatherSource(str(file), Held())
    assert await source.read()
    assert source.told is not None
    assert source.told.told_at == NOON - 9000.0


async def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    long = tmp_path / "long"
    long.write_bytes(b" " * 1_000_001)
    for where, words in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (pipe, "not an ordinary file"),
        (long, "longer than 1000000 bytes"),
    ):
        source = WeatherSource(str(where), Held())
        assert not await source.read()
        assert words in (source.trouble or "")


async def test_it_reads_again_and_again_and_sooner_after_a_failure(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weather_source, "_FIRST_PAUSE_S", 0.01)
    server.status = 500
    source = WeatherSource(server.url, Held(), every_s=0.05)
    running = asyncio.create_task(source.run())

    async def asked() -> int:
        return server.asked

    await until(asked, lambda count: count >= 3, 10.0, "three readings that fail")
    server.status = 200
    so_far = server.asked
    await until(asked, lambda count: count >= so_far + 3, 10.0, "three more")
    assert source.told is not None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_the_controllers_process_needs_no_numpy_for_it() -> None:
    """Imported in a process of its own: this one has loaded NumPy for other tests."""
    code = "import sys, hems.planning.weather_source; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_the_owner_is_told_while_the_source_fails(tmp_path: Path) -> None:
    """A path that was mistyped would else be found by nobody: the plan does without it."""
    alarms: list[str | None] = []
    file = tmp_path / "weather.json"
    source = WeatherSource(str(file), Held(), alarm=alarms.append)
    assert not await source.read()
    assert alarms == [f"The forecast lacks its source: {source.trouble}"]
    file.write_text(ANSWER)
    assert await source.read()
    assert alarms[-1] is None
