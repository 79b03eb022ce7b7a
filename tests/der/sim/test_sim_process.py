"""The simulated home as a program: start, ready file, control door, errors, stop."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from der.sim.errors import ListenError, OptionError
from der.sim.options import Options, parse
from der.sim.runner import SimulatedHome, publish

Eventually = Callable[..., Awaitable[None]]


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "der.sim",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.requirement("PD-TIERS")
async def test_program_says_where_it_is_and_stops_cleanly(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    begun = time.monotonic()
    async with started("--ocpp", "", "--ready", str(ready), "--extra-meters", "4") as process:
        assert process.stdout is not None
        async with asyncio.timeout(15):
            line = await process.stdout.readline()
        assert time.monotonic() - begun < 10  # far less on an idle machine
        told = json.loads(line)
        assert json.loads(ready.read_text()) == told
        assert told["pid"] == process.pid
        assert len(told["devices"]) == 9
        for at in told["devices"].values():
            _, writer = await asyncio.open_connection(at["host"], at["port"])
            writer.close()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")


async def test_port_in_use_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with started("--ocpp", "", "--pv-port", str(port)) as process:
            async with asyncio.timeout(15):
                output, errors = await process.communicate()
        assert (process.returncode, output) == (2, b"")
        assert errors.decode().startswith(f"simulated home: pv: cannot listen on 127.0.0.1:{port}")
        assert errors.count(b"\n") == 1
        with pytest.raises(ListenError, match="control: cannot listen"):
            async with SimulatedHome(Options(ocpp="", control_port=port)):
                pass


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed", "abc"], "--speed abc"),
        (["--speed", "0"], "--speed 0"),
        (["--speed", "nan"], "--speed nan"),
        (["--battery-soc", "60"], "--battery-soc 60"),
        (["--pv-port", "70000"], "--pv-port 70000"),
        (["--ocpp", "http://127.0.0.1/ocpp/ev"], "ws://HOST:PORT"),
        (["--ev-max-a", "5"], "--ev-max-a 5"),
    ],
)
def test_bad_option_is_one_clear_error(arguments: list[str], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        parse(arguments)


def test_options_reach_the_house() -> None:
    options = parse(["--seed", "3", "--fixed-load", "6000", "--ev-soc", "1", "--start-hour", "41"])
    house = options.house()
    assert (house.seed, house.fixed_load_w, house.ev_soc, house.start_hour) == (3, 6000, 1, 41)
    assert parse([]).speed == 1


def test_ready_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--ready .*nowhere"):
        publish("{}", tmp_path / "nowhere" / "ready.json")


class Door:
    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._base = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> Any:
        async with self._session.get(self._base + path) as answer:
            return await answer.json()

    async def post(self, path: str, body: object) -> tuple[int, str]:
        async with self._session.post(self._base + path, json=body) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    options = Options(ocpp="", fixed_load=1000, pv_w=0, tank_temp=60, room_temp=22, ev_soc=1)
    async with SimulatedHome(options) as home:
        yield home


@pytest.fixture
async def door(home: SimulatedHome) -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as session:
        yield Door(session, home.control.port)


async def test_door_shows_and_changes_the_load(door: Door, eventually: Eventually) -> None:
    async def meter_is(power_w: float) -> bool:
        state = await door.get("/state")
        return bool(state["house"]["meter"]["power_w"] == power_w)

    await eventually(lambda: meter_is(1000))
    since = time.time()
    assert (await door.post("/load", {"base_w": 4000, "pv_w": 1500}))[0] == 200
    await eventually(lambda: meter_is(2500))
    trace = await door.get(f"/trace?since={since}")
    assert trace[-1]["meter_w"] == 2500
    assert all(sample["at"] > since for sample in trace)
    assert (await door.post("/load", {"base_w": None}))[0] == 200
    state = await door.get("/state")
    assert state["charger"] == {
        "connected": False,
        "status": "Preparing",
        "limit_w": None,
        "phases": 1,
        "transaction": None,
    }


async def test_door_lists_writes_with_their_times(door: Door, home: SimulatedHome) -> None:
    before = time.monotonic()
    home.journal.wrote("pv", "SunSpec", "WMaxLimPct=30")
    home.journal.wrote("ev", "SetChargingProfile", "id=1")
    state = await door.get("/state")
    assert [write["values"] for write in state["writes"]["pv"]] == ["WMaxLimPct=30"]
    assert before <= state["writes"]["pv"][0]["monotonic"] <= time.monotonic()
    later = await door.get("/writes?after=1")
    assert [(write["number"], write["device"]) for write in later] == [(2, "ev")]


async def test_door_sets_faults(door: Door, home: SimulatedHome) -> None:
    order = {"device": "meter", "fault": "silence", "seconds": 30}
    assert (await door.post("/fault", order))[0] == 200
    assert home.devices.faults["meter"].kind == "silence"
    assert (await door.get("/state"))["faults"]["meter"] == "silence"
    assert (await door.post("/fault", {"device": "meter", "fault": "none"}))[0] == 200
    assert home.devices.faults["meter"].kind == "none"


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/fault", {"device": "toaster", "fault": "off"}, "no device 'toaster'"),
        ("/fault", {"device": "meter", "fault": "smoke"}, "fault:"),
        ("/fault", {"device": "meter"}, "fault:"),
        ("/load", {"base_w": -1}, "load:"),
        ("/load", {"power": 1}, "load:"),
    ],
)
async def test_door_refuses_nonsense(door: Door, path: str, body: object, told: str) -> None:
    status, text = await door.post(path, body)
    assert status == 400
    assert told in text
