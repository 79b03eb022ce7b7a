"""Faults of the SunSpec devices that lie in what they show: wrong scale, stuck, rebooted, clock."""

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from der.sim.sunspec.registers import BASE, Key
from der.sim.sunspec.unit import SunSpecUnit

Eventually = Callable[..., Awaitable[None]]
STILL: dict[str, object] = {
    "ocpp": "",
    "fixed_load": 1000.0,
    "pv_w": 3000.0,
    "tank_temp": 60.0,
    "room_temp": 22.0,
    "ev_soc": 1.0,
}


def still(**options: object) -> SimulatedHome:
    return SimulatedHome(Options.model_validate({**STILL, **options}))


class Peer:
    """Asks on a raw socket; the map's places come from the device itself."""

    def __init__(self, home: SimulatedHome, name: str) -> None:
        self._server = home.devices.servers[name]
        unit = self._server.unit
        assert isinstance(unit, SunSpecUnit)
        self._map = unit.map

    async def _ask(self, pdu: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            writer.write(struct.pack(">HHHB", 1, 0, len(pdu) + 1, 1) + pdu)
            async with asyncio.timeout(5):
                length = int.from_bytes((await reader.readexactly(6))[4:6], "big")
                return (await reader.readexactly(length))[1:]
        finally:
            writer.close()

    async def number(self, key: Key) -> float | None:
        """Return a point's value as a peer works it out."""
        point = self._map.points[key]
        raw = point.decode(await self._registers(key))
        if raw is None or not point.scale:
            return raw
        exponent = self._map.points[key[0], point.scale].decode(
            await self._registers((key[0], point.scale))
        )
        return None if exponent is None else raw * 10.0**exponent

    async def _registers(self, key: Key) -> list[int]:
        point = self._map.points[key]
        answer = await self._ask(struct.pack(">BHH", 3, point.address, point.size))
        assert answer[0] == 3
        return list(struct.unpack(f">{point.size}H", answer[2:]))

    async def write(self, key: Key, *registers: int) -> bool:
        """Write a point; returns whether it was taken."""
        point, count = self._map.points[key], len(registers)
        body = struct.pack(f">BHHB{count}H", 16, point.address, count, 2 * count, *registers)
        return (await self._ask(body))[0] == 16


@pytest.mark.parametrize(
    ("options", "name", "key"),
    [
        ({}, "meter", (203, "W")),
        ({"meter_model": "213"}, "meter", (213, "W")),
        ({}, "pv", (701, "W")),
        ({"pv_style": "classic"}, "pv", (101, "W")),
        ({"pv_style": "classic-float"}, "pv", (111, "W")),
    ],
)
async def test_a_wrong_scale_factor_makes_power_a_thousandfold(
    options: dict[str, object], name: str, key: Key, eventually: Eventually
) -> None:
    async with still(**options) as home:
        await eventually(lambda: home.house.now.meter.power_w == -2000)
        peer = Peer(home, name)
        sound = await peer.number(key)
        assert sound == {"meter": -2000, "pv": 3000}[name]
        home.devices.faults[name].set(FaultKind.SCALE)
        assert await peer.number(key) == 1000 * sound
        home.devices.faults[name].set(FaultKind.NONE)
        assert await peer.number(key) == sound


async def test_a_stuck_device_shows_the_moment_and_obeys_unseen(eventually: Eventually) -> None:
    async with still() as home:
        await eventually(lambda: home.house.now.pv.power_w == -3000)
        peer = Peer(home, "pv")
        assert await peer.number((701, "W")) == 3000
        home.devices.faults["pv"].set(FaultKind.STUCK)
        assert await peer.write((704, "WMaxLimPct"), 2500)
        assert await peer.write((704, "WMaxLimPctEna"), 1)
        await eventually(lambda: home.house.now.pv.power_w == -1000)
        assert await peer.number((701, "W")) == 3000
        assert await peer.number((704, "WMaxLimPctEna")) == 0
        home.devices.faults["pv"].set(FaultKind.NONE)
        assert await peer.number((701, "W")) == 1000
        assert await peer.number((704, "WMaxLimPctEna")) == 1


@pytest.mark.parametrize(
    ("options", "name", "writes"),
    [
        ({}, "pv", {(704, "WMaxLimPct"): [2500], (704, "WMaxLimPctEna"): [1]}),
        (
            {"pv_style": "full"},
            "pv",
            {(704, "WMaxLimPct"): [2500], (704, "WMaxLimPctEna"): [1], (706, "Ena"): [1]},
        ),
        (
            {"pv_style": "classic"},
            "pv",
            {(123, "WMaxLimPct"): [2500], (123, "WMaxLim_Ena"): [1]},
        ),
        (
            {"battery_style": "classic"},
            "battery",
            {
                (124, "InWRte"): [4000],
                (124, "OutWRte"): [0xFFFF & -4000],
                (124, "StorCtl_Mod"): [3],
            },
        ),
    ],
)
async def test_a_reboot_forgets_all_that_was_told(
    options: dict[str, object],
    name: str,
    writes: dict[Key, list[int]],
    eventually: Eventually,
) -> None:
    def power_w() -> float:
        now = home.house.now
        return (now.pv if name == "pv" else now.battery).power_w

    async with still(**options) as home:
        free_w = {"pv": -3000.0, "battery": 0.0}[name]
        await eventually(lambda: power_w() == free_w)
        peer = Peer(home, name)
        for key, registers in writes.items():
            assert await peer.write(key, *registers)
        await eventually(lambda: power_w() != free_w)
        home.devices.faults[name].set(FaultKind.REBOOT, seconds=0.3)
        await eventually(lambda: power_w() == free_w)

        async def refused() -> bool:
            try:
                await peer.number(next(iter(writes)))
            except (ConnectionError, asyncio.IncompleteReadError):
                return True
            return False

        await eventually(refused)

        async def answers() -> bool:
            return not await refused()

        await eventually(answers)
        for key in writes:
            if key[1].endswith(("Ena", "_Mod")):
                assert await peer.number(key) == 0


async def test_an_old_inverters_own_clock_is_off_by_an_hour() -> None:
    async with still(pv_style="classic") as home:
        peer = Peer(home, "pv")
        shown = await peer.number((122, "Tms"))
        assert shown is not None
        assert shown + 946_684_800 == pytest.approx(time.time(), abs=3)
        home.devices.faults["pv"].set(FaultKind.CLOCK)
        ahead = await peer.number((122, "Tms"))
        assert ahead == pytest.approx(shown + 3600, abs=3)


async def test_faults_and_grid_are_set_through_the_door(eventually: Eventually) -> None:
    async with still() as home, aiohttp.ClientSession() as session:
        door = f"http://127.0.0.1:{home.control.port}"
        for kind in ("scale", "stuck", "reboot", "clock"):
            order = {"device": "meter", "fault": kind, "seconds": 0.05}
            async with session.post(f"{door}/fault", json=order) as answer:
                assert (await answer.json())["fault"] == kind
        load = {"voltage_v": 241.5, "frequency_hz": 50.2}
        async with session.post(f"{door}/load", json=load) as answer:
            assert answer.status == 200
        await eventually(lambda: home.house.now.voltage_v == 241.5)
        assert home.house.now.frequency_hz == 50.2
        async with session.post(f"{door}/load", json={"voltage_v": None}) as answer:
            assert answer.status == 200
        await eventually(lambda: home.house.now.voltage_v != 241.5)
        async with session.post(f"{door}/load", json={"voltage_v": 1000}) as answer:
            assert answer.status == 400


async def test_an_image_is_worked_out_no_more_often_than_the_home_moves() -> None:
    async with still(only="meter") as home:
        unit = home.devices.servers["meter"].unit
        assert isinstance(unit, SunSpecUnit)
        assert set(home.devices.servers) == {"meter"}
        peer = Peer(home, "meter")
        images: set[int] = set()
        kept: list[list[int]] = []  # so that no two of them can have one id
        until = time.monotonic() + 0.5
        reads = 0
        while time.monotonic() < until:
            await peer.number((203, "W"))
            kept.append(unit.shown)
            images.add(id(unit.shown))
            reads += 1
        assert reads > 20
        assert len(images) <= 12
        assert unit.shown[:2] == [0x5375, 0x6E53]
        assert BASE == 40000
